package cluster

import (
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/clock"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// metric is one figure of a snapshot of the node. None needs a label.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*sample) float64
}

// sample is what all metrics of one scrape are computed from.
type sample struct {
	node     *Node
	ledger   fsm.Stats
	clock    int64 // log time
	store    store.Stats
	time     clock.Status
	proposed propose.Stats
}

type collector struct {
	node    *Node
	metrics []metric
}

// Collector returns the node's metrics, for a registry of the caller's.
func (n *Node) Collector() prometheus.Collector {
	c := &collector{node: n}
	c.add("creditd_raft_term", "Present term.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.node.raft.CurrentTerm()) })
	c.add("creditd_raft_leader", "1 if this node leads and serves.", prometheus.GaugeValue, func(s *sample) float64 { return truth(s.node.Leads()) })
	c.add("creditd_raft_voter", "1 if this node has a vote.", prometheus.GaugeValue, func(s *sample) float64 { return truth(s.node.directory.Voter(s.node.id) != nil) })
	c.add("creditd_raft_commit_index", "Index of the last committed entry.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.node.raft.CommitIndex()) })
	c.add("creditd_raft_applied_index", "Index of the last entry handed to the ledger.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.node.raft.AppliedIndex()) })
	c.add("creditd_raft_state", "0 follower, 1 candidate, 2 leader, 3 shut down.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.node.raft.State()) })
	c.add("creditd_node_ready", "1 if requests can be served.", prometheus.GaugeValue, func(s *sample) float64 { return truth(s.node.Ready() == nil) })

	c.add("creditd_clock_fit", "0 while this node's clock jumped, stands still or is far from its peers'.", prometheus.GaugeValue, func(s *sample) float64 { return truth(s.time.Fit()) })
	c.add("creditd_clock_drift_seconds", "Wall clock less the time this node goes by.", prometheus.GaugeValue, func(s *sample) float64 { return s.time.Drift.Seconds() })
	c.add("creditd_clock_offset_seconds", "The peers' time less this node's.", prometheus.GaugeValue, func(s *sample) float64 { return s.time.Offset.Seconds() })

	c.add("creditd_batch_queued_requests", "Requests that wait to be proposed.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.proposed.Queued) })
	c.add("creditd_batch_entries_total", "Log entries this node proposed.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.proposed.Entries) })
	c.add("creditd_batch_calls_total", "Commands in those entries.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.proposed.Calls) })
	c.add("creditd_batch_bytes_total", "Size of those entries in bytes.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.proposed.Bytes) })

	c.add("creditd_ledger_clock_seconds", "Log time, Unix seconds.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.clock) / 1000 })
	c.add("creditd_ledger_workspaces", "Workspaces.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.Workspaces) })
	c.add("creditd_ledger_apis", "APIs.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.APIs) })
	c.add("creditd_ledger_root_keys", "Root keys.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.RootKeys) })
	c.add("creditd_ledger_identities", "Identities, deleted ones included.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.Identities) })
	c.add("creditd_ledger_keys", "Keys, soft-deleted ones included.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.Keys) })
	c.add("creditd_ledger_credit_records", "Keys and identities with a balance.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.CreditRecords) })
	c.add("creditd_ledger_ratelimit_windows", "Rate limits that let something through lately.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.RatelimitWindows) })
	c.add("creditd_ledger_audit_entries", "Audit entries that are kept.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.AuditEntries) })
	c.add("creditd_ledger_dirty_records", "Records changed since the last snapshot.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.DirtyRecords) })
	c.add("creditd_ledger_credits_granted_total", "Credits ever granted, modulo 2^64.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.ledger.Books.Granted) })
	c.add("creditd_ledger_credits_withdrawn_total", "Credits ever taken back, modulo 2^64.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.ledger.Books.Withdrawn) })
	c.add("creditd_ledger_credits_charged_total", "Credits ever charged, modulo 2^64.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.ledger.Books.Charged) })

	c.add("creditd_ledger_sessions", "Sessions of nodes that the ledger remembers.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.Sessions) })
	c.add("creditd_ledger_session_results", "Results that no node has acknowledged yet.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.SessionResults) })

	c.add("creditd_ledger_outcomes", "Outcomes kept for calls with an Idempotency-Key; a batch counts its items, and a large answer each started 256 bytes.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.ledger.Outcomes) })
	c.add("creditd_ledger_outcomes_limit", "How many may be kept while this node leads.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.node.conf.MaxOutcomes) })

	c.add("creditd_store_free_bytes", "Space left on the file system of the data directory.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.FreeBytes) })
	c.add("creditd_store_reserve_bytes", "Space from which on changes are refused.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.ReserveBytes) })
	c.add("creditd_store_no_room", "1 while less than the reserve is left.", prometheus.GaugeValue, func(s *sample) float64 { return truth(s.store.DiskFull) })
	c.add("creditd_store_log_bytes", "Size of the log on disk.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.LogBytes) })
	c.add("creditd_store_log_first_index", "Index of the oldest entry in the log: a node that lacks an earlier one is sent a whole copy.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.LogFirstIndex) })
	c.add("creditd_store_state_bytes", "Size of state.db.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.StateBytes) })
	c.add("creditd_store_state_free_pages", "Pages of state.db that the next snapshot can use.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.StateFreePages) })
	c.add("creditd_snapshot_completed_total", "Snapshots completed since the start.", prometheus.CounterValue, func(s *sample) float64 { return float64(s.store.Snapshots) })
	c.add("creditd_snapshot_index", "Log index of the last snapshot.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.SnapshotIndex) })
	c.add("creditd_snapshot_records", "Records in state.db.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.SnapshotRecords) })
	c.add("creditd_snapshot_written_records", "Records that the last snapshot wrote.", prometheus.GaugeValue, func(s *sample) float64 { return float64(s.store.SnapshotWritten) })
	c.add("creditd_snapshot_duration_seconds", "Duration of the last snapshot.", prometheus.GaugeValue, func(s *sample) float64 { return s.store.SnapshotDuration.Seconds() })
	return c
}

func (c *collector) add(name, help string, kind prometheus.ValueType, value func(*sample) float64) {
	c.metrics = append(c.metrics, metric{prometheus.NewDesc(name, help, nil, nil), kind, value})
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector. A node that is not up yet has nothing to tell.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	if c.node.raft == nil || c.node.raft.State() == raft.Shutdown {
		return
	}
	s := &sample{node: c.node, store: c.node.conf.Store.Stats(), time: c.node.Clock(), proposed: c.node.proposer.Stats()}
	c.node.replica.View(func(state *fsm.State) { s.ledger, s.clock = state.Stats(), state.Clock() })
	for _, m := range c.metrics {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s))
	}
}
