package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/creditd/creditd/fsm"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the instruments of one API. Those of verifications are looked up once, at start.
type metrics struct {
	requests      *prometheus.CounterVec
	latency       *prometheus.HistogramVec
	verifications [len(verdictCodes)]prometheus.Counter
	overloadMetrics
}

// endpointMetrics are the instruments of one endpoint.
type endpointMetrics struct {
	ok       prometheus.Counter
	requests *prometheus.CounterVec // by status, for all that are not ok
	latency  prometheus.Observer
}

// latencyBounds range from an answer from memory to the deadline.
var latencyBounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

func newMetrics(registry *prometheus.Registry, version string, a *API, failing []prometheus.Collector) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "creditd_api_requests_total", Help: "Answers by endpoint and HTTP status.",
		}, []string{"endpoint", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "creditd_api_request_duration_seconds", Help: "Time from the header of a request to its answer.",
			Buckets: latencyBounds,
		}, []string{"endpoint"}),
	}
	verifications := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "creditd_api_verifications_total", Help: "Answers of keys.verifyKey by code.",
	}, []string{"code"})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "creditd_api_build_info", Help: "Always 1; the labels describe the program.",
	}, []string{"version"})
	overload, collectors := newOverloadMetrics(a)
	collectors = append(collectors, failing...)
	m.overloadMetrics = overload
	for _, collector := range append(collectors, m.requests, m.latency, verifications, build) {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	for number, code := range verdictCodes {
		if code != "" {
			m.verifications[number] = verifications.WithLabelValues(code)
		}
	}
	build.WithLabelValues(version).Set(1)
	return m, nil
}

func (m *metrics) endpoint(name string) endpointMetrics {
	requests := m.requests.MustCurryWith(prometheus.Labels{"endpoint": name})
	return endpointMetrics{
		ok: requests.WithLabelValues("200"), requests: requests, latency: m.latency.WithLabelValues(name),
	}
}

func (m *metrics) verified(code fsm.VerdictCode) { m.verifications[code].Inc() }

func (m *endpointMetrics) observe(status int, took time.Duration) {
	m.latency.Observe(took.Seconds())
	if status == http.StatusOK {
		m.ok.Inc()
		return
	}
	m.requests.WithLabelValues(strconv.Itoa(status)).Inc()
}
