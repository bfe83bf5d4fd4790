package api

import "github.com/prometheus/client_golang/prometheus"

// overloadMetrics show the memory that requests hold, and who was refused or cut off for it.
type overloadMetrics struct {
	noRoomForBody, noRoomForAnswer, shortOfMemory prometheus.Counter
	slowSenders, slowReaders, slowStreams         prometheus.Counter
	exportsCut                                    prometheus.Counter
}

func newOverloadMetrics(a *API) (overloadMetrics, []prometheus.Collector) {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "creditd_api_overload_refusals_total", Help: "Requests refused with 429 for lack of memory, by what lacks: bodies, answers or memory.",
	}, []string{"of"})
	slow := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "creditd_api_slow_clients_total", Help: "Clients cut off because they sent a body, or took an answer or a stream, too slowly.",
	}, []string{"what"})
	held := func(kind string, of *budget) []prometheus.Collector {
		labels := prometheus.Labels{"kind": kind}
		return []prometheus.Collector{
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "creditd_api_held_bytes", Help: "Bytes counted for bodies and answers under way.", ConstLabels: labels,
			}, func() float64 { return float64(of.inUse()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "creditd_api_held_bytes_limit", Help: "Bound of creditd_api_held_bytes.", ConstLabels: labels,
			}, func() float64 { return float64(of.limit) }),
		}
	}
	m := overloadMetrics{
		noRoomForBody: refused.WithLabelValues("bodies"), noRoomForAnswer: refused.WithLabelValues("answers"),
		shortOfMemory: refused.WithLabelValues("memory"),
		slowSenders:   slow.WithLabelValues("body"), slowReaders: slow.WithLabelValues("answer"),
		slowStreams: slow.WithLabelValues("stream"),
		exportsCut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "creditd_api_exports_cut_total", Help: "Exports and snapshots that ended before their end, for whatever reason.",
		}),
	}
	collectors := []prometheus.Collector{refused, slow, m.exportsCut}
	collectors = append(collectors, held("small_body", a.smallBodies)...)
	collectors = append(collectors, held("large_body", a.largeBodies)...)
	return m, append(collectors, held("answer", a.answers)...)
}

// The refusals of a node that has no room. All are 429: nothing was executed.

func (a *API) bodiesFull() *problem {
	a.metrics.noRoomForBody.Inc()
	return &problem{errorType: &tooManyRequests, detail: "Too many request bodies are under way. Try again later"}
}

func (a *API) answersFull() *problem {
	a.metrics.noRoomForAnswer.Inc()
	return &problem{errorType: &tooManyRequests, detail: "Too many answers are under way. Take them faster, or try again later"}
}

func (a *API) memoryFull() *problem {
	a.metrics.shortOfMemory.Inc()
	return &problem{errorType: &tooManyRequests, detail: "This node is short of memory and takes no large requests. Try again later"}
}
