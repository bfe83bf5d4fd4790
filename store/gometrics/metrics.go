// Package metrics stands in for a package that go-metrics v0.7.0 no longer has. raft-boltdb and raft-wal still import it under this
// path, while raft and memberlist need go-metrics v0.7.0 itself.
//
// It is a module of its own, joined by a replace directive in the go.mod of creditd. It has what those two libraries use, and hands
// everything to go-metrics. It goes as soon as they import go-metrics directly. Nothing of creditd imports it.
package metrics

import (
	"time"

	"github.com/hashicorp/go-metrics"
)

// The types are those of go-metrics.
type (
	Label   = metrics.Label
	Metrics = metrics.Metrics
)

// Default returns the instance that the functions below write to.
func Default() *Metrics { return metrics.Default() }

// AddSample adds one value to a distribution.
func AddSample(key []string, value float32) { metrics.AddSample(key, value) }

// IncrCounter adds to a counter.
func IncrCounter(key []string, value float32) { metrics.IncrCounter(key, value) }

// SetGauge sets a gauge.
func SetGauge(key []string, value float32) { metrics.SetGauge(key, value) }

// MeasureSince adds the time since start to a distribution.
func MeasureSince(key []string, start time.Time) { metrics.MeasureSince(key, start) }
