package cluster

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/logcache"
	"github.com/creditd/creditd/cluster/tracing"
)

// stages measures the way of a log entry. All of it is counted once for each entry, not for each request.
type stages struct {
	seconds *prometheus.HistogramVec
	calls   prometheus.Histogram

	queue, fsync, replication, apply prometheus.Observer

	// stored is when the entry that this node proposed last was on its own disk, in Unix nanoseconds; 0: it is under way no more, armed: it
	// is not stored yet.
	stored atomic.Int64

	traces *tracing.Tracer // nil: no traces are made
}

const armed = -1

func newStages(traces *tracing.Tracer) *stages {
	s := &stages{
		traces: traces,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "creditd_entry_stage_seconds",
			Help: "Time of log entries by stage. queue: the oldest request waits to be proposed. fsync: a write of entries to this node's disk. " +
				"replication: from there until a quorum has it. apply: the ledger executes the entry. queue and replication are the leader's.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"stage"}),
		calls: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "creditd_batch_entry_calls", Help: "Commands in the log entries that this node proposed.",
			Buckets: []float64{0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096},
		}),
	}
	s.queue, s.fsync = s.seconds.WithLabelValues("queue"), s.seconds.WithLabelValues("fsync")
	s.replication, s.apply = s.seconds.WithLabelValues("replication"), s.seconds.WithLabelValues("apply")
	return s
}

func (s *stages) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.seconds, s.calls}
}

// waited notes how long the oldest request of an entry waited.
func (s *stages) waited(d time.Duration) { s.queue.Observe(d.Seconds()) }

// proposing notes that an entry is about to be handed to raft.
func (s *stages) proposing(calls int) {
	s.calls.Observe(float64(calls))
	s.stored.Store(armed)
	if s.traces != nil {
		s.traces.Proposing()
	}
}

// applying notes that raft hands committed commands to the ledger.
func (s *stages) applying() {
	if s.stored.Load() > 0 {
		if at := s.stored.Swap(0); at > 0 {
			s.replication.Observe(max(0, time.Duration(time.Now().UnixNano()-at).Seconds()))
		}
	}
}

// applied notes how long the ledger took for an entry.
func (s *stages) applied(index uint64, took time.Duration) {
	s.apply.Observe(took.Seconds())
	if s.traces != nil {
		s.traces.Applied(index, took)
	}
}

// timedLog measures how long entries take to be written.
type timedLog struct {
	*logcache.Cache
	stages *stages
}

var _ raft.MonotonicLogStore = timedLog{}

// StoreLog implements raft.LogStore.
func (l timedLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs implements raft.LogStore.
func (l timedLog) StoreLogs(entries []*raft.Log) error {
	began := time.Now()
	err := l.Cache.StoreLogs(entries)
	now := time.Now()
	l.stages.fsync.Observe(now.Sub(began).Seconds())
	if l.stages.stored.CompareAndSwap(armed, now.UnixNano()) && l.stages.traces != nil {
		l.stages.traces.Stored(now)
	}
	return err
}
