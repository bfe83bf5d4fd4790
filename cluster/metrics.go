package cluster

import (
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/clock"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// metric is one figure of a snapshot of the node. None needs a label; those of workspaces are in metrics_workspaces.go.
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
	turns    turns.Stats
	voters   int // of raft's configuration
	healthy  int // of them, as gossip sees them
}

type collector struct {
	node    *Node
	metrics []metric
}

// Collector returns the node's metrics, for a registry of the caller's.
func (n *Node) Collector() prometheus.Collector {
	c := &collector{node: n}
	c.gauge("creditd_raft_term", "Current term.", func(s *sample) float64 { return float64(s.node.raft.CurrentTerm()) })
	c.gauge("creditd_raft_leader", "1 if this node leads and serves.", func(s *sample) float64 { return truth(s.node.Leads()) })
	c.gauge("creditd_raft_voter", "1 if this node has a vote.", func(s *sample) float64 { return truth(s.node.directory.Voter(s.node.id) != nil) })
	c.gauge("creditd_raft_commit_index", "Index of the last committed entry.", func(s *sample) float64 { return float64(s.node.raft.CommitIndex()) })
	c.gauge("creditd_raft_applied_index", "Index of the last entry handed to the ledger.", func(s *sample) float64 { return float64(s.node.raft.AppliedIndex()) })
	c.gauge("creditd_raft_state", "0 follower, 1 candidate, 2 leader, 3 shut down.", func(s *sample) float64 { return float64(s.node.raft.State()) })
	c.gauge("creditd_raft_last_contact_seconds", "Time since this node heard its leader; 0 on the leader, -1 if it never did.", func(s *sample) float64 { return s.node.lastContact().Seconds() })
	c.counter("creditd_raft_leader_changes_total", "How often this node saw another leader than before, the first one included.", func(s *sample) float64 { return float64(s.node.leader.Changes()) })
	c.gauge("creditd_raft_voters", "Voters of the cluster.", func(s *sample) float64 { return float64(s.voters) })
	c.gauge("creditd_raft_voters_healthy", "Voters that this node sees alive, itself included.", func(s *sample) float64 { return float64(s.healthy) })
	c.gauge("creditd_raft_voters_needed", "Voters that a majority needs. With fewer healthy ones nothing can be changed.", func(s *sample) float64 { return float64(s.voters/2 + 1) })
	c.gauge("creditd_node_ready", "1 if requests can be served.", func(s *sample) float64 { return truth(s.node.Ready() == nil) })

	c.gauge("creditd_clock_fit", "0 while this node's clock has jumped, stands still or differs from its peers' clocks.", func(s *sample) float64 { return truth(s.time.Fit()) })
	c.gauge("creditd_clock_drift_seconds", "Wall clock minus the guarded time of this node.", func(s *sample) float64 { return s.time.Drift.Seconds() })
	c.gauge("creditd_clock_offset_seconds", "The peers' time minus this node's time.", func(s *sample) float64 { return s.time.Offset.Seconds() })

	c.gauge("creditd_clock_log_time_ahead_seconds", "Log time minus this node's time, at least 0. While it is above 0 on the leader, log time stands still.", func(s *sample) float64 { return s.node.fitness.LogTimeAhead().Seconds() })

	c.gauge("creditd_batch_queued_requests", "Requests that wait to be proposed.", func(s *sample) float64 { return float64(s.proposed.Queued) })
	c.counter("creditd_batch_refused_requests_total", "Requests that were refused because the queue, or the share of a workspace in it, was full.", func(s *sample) float64 { return float64(s.proposed.Refused) })
	c.gauge("creditd_costly_waiting_requests", "Costly requests that wait for a turn.", func(s *sample) float64 { return float64(s.turns.Waiting) })
	c.gauge("creditd_costly_pause_ratio", "How long a slot rests after a turn, as a multiple of the turn. It grows while the machine has no CPU to spare.", func(s *sample) float64 { return s.turns.Pause })
	c.gauge("creditd_costly_neighbours", "1 while several workspaces use the cluster, as this node sees it: only then does a slot rest.", func(s *sample) float64 { return truth(s.turns.Shared) })
	c.counter("creditd_costly_turns_total", "Turns of costly requests.", func(s *sample) float64 { return float64(s.turns.Taken) })
	c.counter("creditd_costly_waits_total", "Costly requests that had to wait for a turn.", func(s *sample) float64 { return float64(s.turns.Waits) })
	c.counter("creditd_costly_wait_seconds_total", "Time that costly requests waited for turns.", func(s *sample) float64 { return s.turns.Waited.Seconds() })
	c.counter("creditd_costly_refused_requests_total", "Costly requests that got no turn.", func(s *sample) float64 { return float64(s.turns.Refused) })
	c.counter("creditd_batch_entries_total", "Log entries that this node proposed.", func(s *sample) float64 { return float64(s.proposed.Entries) })
	c.counter("creditd_batch_calls_total", "Commands in those entries.", func(s *sample) float64 { return float64(s.proposed.Calls) })
	c.counter("creditd_batch_bytes_total", "Size of those entries in bytes.", func(s *sample) float64 { return float64(s.proposed.Bytes) })

	c.gauge("creditd_ledger_clock_seconds", "Log time, Unix seconds.", func(s *sample) float64 { return float64(s.clock) / 1000 })
	c.gauge("creditd_ledger_workspaces", "Workspaces.", func(s *sample) float64 { return float64(s.ledger.Workspaces) })
	c.gauge("creditd_ledger_apis", "APIs.", func(s *sample) float64 { return float64(s.ledger.APIs) })
	c.gauge("creditd_ledger_root_keys", "Root keys.", func(s *sample) float64 { return float64(s.ledger.RootKeys) })
	c.gauge("creditd_ledger_identities", "Identities, deleted ones included until their records are removed.", func(s *sample) float64 { return float64(s.ledger.Identities) })
	c.gauge("creditd_ledger_keys", "Keys, deleted ones included until their records are removed.", func(s *sample) float64 { return float64(s.ledger.Keys) })
	c.gauge("creditd_ledger_credit_records", "Keys and identities with a balance.", func(s *sample) float64 { return float64(s.ledger.CreditRecords) })
	c.gauge("creditd_ledger_ratelimit_windows", "Rate limit windows that the ledger holds.", func(s *sample) float64 { return float64(s.ledger.RatelimitWindows) })
	c.gauge("creditd_ledger_ratelimit_windows_limit", "Largest number of rate limit windows while this node leads.", func(s *sample) float64 { return float64(s.node.conf.RatelimitMaxWindows) })
	c.gauge("creditd_ledger_audit_entries", "Audit entries.", func(s *sample) float64 { return float64(s.ledger.AuditEntries) })
	c.gauge("creditd_ledger_dirty_records", "Records changed since the last snapshot.", func(s *sample) float64 { return float64(s.ledger.DirtyRecords) })
	c.counter("creditd_ledger_credits_granted_total", "Credits ever granted, modulo 2^64.", func(s *sample) float64 { return float64(s.ledger.Totals.Granted) })
	c.counter("creditd_ledger_credits_withdrawn_total", "Credits ever withdrawn, modulo 2^64.", func(s *sample) float64 { return float64(s.ledger.Totals.Withdrawn) })
	c.counter("creditd_ledger_credits_charged_total", "Credits ever debited, modulo 2^64.", func(s *sample) float64 { return float64(s.ledger.Totals.Debited) })

	c.gauge("creditd_ledger_sessions", "Sessions of nodes.", func(s *sample) float64 { return float64(s.ledger.Sessions) })
	c.gauge("creditd_ledger_session_results", "Results that no node has acknowledged yet.", func(s *sample) float64 { return float64(s.ledger.SessionResults) })

	c.gauge("creditd_ledger_outcomes", "Fill level of the idempotency store: each record weighs ceil(bytes/256) of its answer, and a batch weighs its items.", func(s *sample) float64 { return float64(s.ledger.IdempotencyKeys) })
	c.gauge("creditd_ledger_outcomes_limit", "Capacity of the idempotency store while this node leads.", func(s *sample) float64 { return float64(s.node.conf.IdempotencyMaxKeys) })

	c.counter("creditd_gossip_refused_packets_total", "Packets and streams of gossip that no member sends.", func(s *sample) float64 { return float64(s.node.gossip.Refused()) })
	c.counter("creditd_peer_refused_connections_total", "Connections to the peer port that came to nothing: no node of the cluster, or displaced by later ones.", func(s *sample) float64 { return float64(s.node.mux.Refused()) })

	c.gauge("creditd_store_free_bytes", "Free space on the file system of the data directory.", func(s *sample) float64 { return float64(s.store.FreeBytes) })
	c.gauge("creditd_store_reserve_bytes", "Disk reserve: with less free space, changes are refused.", func(s *sample) float64 { return float64(s.store.ReserveBytes) })
	c.gauge("creditd_store_no_room", "1 while the disk is full: less than the reserve is free.", func(s *sample) float64 { return truth(s.store.DiskFull) })
	c.gauge("creditd_store_log_bytes", "Size of the log on disk.", func(s *sample) float64 { return float64(s.store.LogBytes) })
	c.gauge("creditd_store_log_entry_bytes", "Size of the entries in the log.", func(s *sample) float64 { return float64(s.store.LogEntryBytes) })
	c.gauge("creditd_store_log_since_snapshot_bytes", "Size of the log entries since the last snapshot.", func(s *sample) float64 { return float64(s.store.LogBytesSinceSnapshot) })
	c.gauge("creditd_store_log_since_snapshot_bytes_limit", "Size of the log entries since the last snapshot that calls for the next one. As much stays behind a snapshot.", func(s *sample) float64 { return float64(s.node.compactor.Limit()) })
	c.gauge("creditd_ledger_replay_seconds", "How long a restart would take now to apply the log since the last snapshot, about.", func(s *sample) float64 { return s.node.replica.Replay().Seconds() })
	c.gauge("creditd_ledger_replay_seconds_limit", "The value of creditd_ledger_replay_seconds that calls for the next snapshot.", func(s *sample) float64 { return s.node.compactor.ReplayLimit().Seconds() })
	c.gauge("creditd_store_log_first_index", "Index of the oldest entry in the log. A node that lacks an earlier entry installs a snapshot.", func(s *sample) float64 { return float64(s.store.LogFirstIndex) })
	c.gauge("creditd_store_state_bytes", "Size of state.db.", func(s *sample) float64 { return float64(s.store.StateBytes) })
	c.gauge("creditd_store_state_free_pages", "Free pages of state.db, which the next snapshot can use.", func(s *sample) float64 { return float64(s.store.StateFreePages) })
	c.counter("creditd_snapshot_completed_total", "Snapshots completed since the start.", func(s *sample) float64 { return float64(s.store.Snapshots) })
	c.counter("creditd_snapshot_restored_total", "Snapshots loaded since the start: this node's own at the start, and copies from leaders.", func(s *sample) float64 { return float64(s.node.replica.Restored()) })
	c.gauge("creditd_snapshot_index", "Log index of the last snapshot.", func(s *sample) float64 { return float64(s.store.SnapshotIndex) })
	c.gauge("creditd_snapshot_records", "Records in state.db.", func(s *sample) float64 { return float64(s.store.SnapshotRecords) })
	c.gauge("creditd_snapshot_written_records", "Records that the last snapshot wrote.", func(s *sample) float64 { return float64(s.store.SnapshotWritten) })
	c.gauge("creditd_snapshot_duration_seconds", "Duration of the last snapshot, without its rests.", func(s *sample) float64 { return s.store.SnapshotDuration.Seconds() })
	return c
}

func (c *collector) gauge(name, help string, value func(*sample) float64) {
	c.metrics = append(c.metrics, metric{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value})
}

func (c *collector) counter(name, help string, value func(*sample) float64) {
	c.metrics = append(c.metrics, metric{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, value})
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
	out <- workspaceUsed
	out <- workspaceLimit
	out <- workspacesOmitted
	out <- peerLag
	out <- peerContact
	out <- peerHealthy
	describeBackups(out)
	for _, own := range c.node.histograms() {
		own.Describe(out)
	}
}

// Collect implements prometheus.Collector. A node that is not up yet has nothing to tell.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	if c.node.raft == nil || c.node.raft.State() == raft.Shutdown {
		return
	}
	s := &sample{node: c.node, store: c.node.conf.Store.Stats(), time: c.node.Clock(), proposed: c.node.proposer.Stats(), turns: c.node.turns.Stats()}
	s.voters, s.healthy = c.node.directory.Voters()
	var workspaces []prometheus.Metric
	c.node.replica.View(func(state *fsm.State) {
		s.ledger, s.clock = state.Stats(), state.Clock()
		workspaces = c.workspaces(state)
	})
	for _, m := range workspaces {
		out <- m
	}
	for _, m := range c.metrics {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s))
	}
	c.peers(out)
	c.collectBackups(out)
	for _, own := range c.node.histograms() {
		own.Collect(out)
	}
}
