package replica

import (
	"reflect"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What the ledger's lock is held for. Only applying excludes everybody; the others exclude it.
const (
	applying  = "apply"
	peeking   = "peek"
	answering = "answer"
)

// holds measures how long the ledger's lock is held, by command and by query.
type holds struct {
	seconds *prometheus.HistogramVec
	series  *sync.Map // of hold to prometheus.Observer
}

// hold names one series. kind is the type of a command or a query; nil: a whole entry.
type hold struct {
	operation string
	kind      reflect.Type
}

func newHolds() holds {
	return holds{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "creditd_ledger_hold_seconds",
			Help: "How long the ledger's lock was held, by command or query. kind is \"entry\" for all commands of an entry together. Verifications that follow one another in an entry count as one.",
			Buckets: []float64{
				0.00001, 0.000025, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1,
			},
		}, []string{"operation", "kind"}),
		series: new(sync.Map),
	}
}

// since observes a hold that ends now. It is for defer.
func (h *holds) since(operation string, of any, from time.Time) { h.observe(operation, of, from) }

// observe observes a hold that ends now, and returns the time.
func (h *holds) observe(operation string, of any, from time.Time) time.Time {
	now := time.Now()
	key := hold{operation, reflect.TypeOf(of)}
	o, known := h.series.Load(key)
	if !known {
		kind := "entry"
		if t := key.kind; t != nil && t.Kind() == reflect.Pointer {
			kind = t.Elem().Name()
		} else if t != nil {
			kind = t.Name()
		}
		o, _ = h.series.LoadOrStore(key, h.seconds.WithLabelValues(operation, kind))
	}
	o.(prometheus.Observer).Observe(now.Sub(from).Seconds())
	return now
}

// Holds are the metrics of how long the ledger's lock was held.
func (r *Replica) Holds() prometheus.Collector { return r.holds.seconds }
