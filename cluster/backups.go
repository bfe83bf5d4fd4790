package cluster

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/fsm"
)

// wireBackups builds what opens snapshots, and what makes backups of them while this node leads. That work counts as that of no workspace.
func (n *Node) wireBackups() {
	n.exports = &exports{
		store: n.conf.Store, raft: n.raft, written: n.writtenIndex, applied: n.replica.Applied, turn: n.TakeTurn, build: n.conf.Version, now: n.conf.Now,
		pace: func() *turns.Pace { return n.turns.Pace(patiently) }, patience: &n.patience,
		stopping: n.ctx.Done(), busy: make(chan struct{}, 1),
	}
	n.backups = backup.NewKeeper(backup.KeeperConfig{
		Schedule: n.conf.Backups, NodeID: n.id, ClusterID: n.replica.ClusterID, Leads: n.Leads,
		Open:  func(ctx context.Context) (backup.Ledger, error) { return n.Snapshot(ctx, fsm.Hash{}, 0) },
		Pace:  func() backup.Pace { return n.exports.paceOf(fsm.Hash{}) },
		Reads: replica.Reads(n.conf.Version), Now: n.conf.Now, Logger: n.log,
	})
}

// writtenIndex is the index of this node's snapshot, 0 without one.
func (n *Node) writtenIndex() uint64 {
	list, err := n.conf.Store.Snapshots().List()
	if err != nil || len(list) == 0 {
		return 0 // whoever reads the snapshot is told why it cannot be
	}
	return list[0].Index
}

// Backup is what a node says of the backups that it makes while it leads.
type Backup struct {
	LastAt  int64  // when the newest one in its directory was begun, Unix ms; 0: there is none
	Failure string // of the last attempt; empty: it did not fail
}

// mostFailure bounds what a node tells others of a failure.
const mostFailure = 300

// reportBackups adds what a node knows of its backups.
func reportBackups(k *backup.Keeper, r *membership.Report) {
	s, on := k.Status()
	if !on {
		return
	}
	r.Backups, r.BackupFailure = true, s.Failure[:min(len(s.Failure), mostFailure)]
	if !s.Last.IsZero() {
		r.BackupAt = s.Last.UnixMilli()
	}
}

var (
	backupLast     = prometheus.NewDesc("creditd_backup_last_success_timestamp_seconds", "When the newest backup in --backup-dir was begun, in Unix seconds; 0: there is none. Only with --backup-dir, like all of creditd_backup.", nil, nil)
	backupSize     = prometheus.NewDesc("creditd_backup_size_bytes", "Size of the newest backup in --backup-dir.", nil, nil)
	backupDuration = prometheus.NewDesc("creditd_backup_duration_seconds", "Duration of the last backup that this process made, its check included; 0: it made none.", nil, nil)
	backupFailures = prometheus.NewDesc("creditd_backup_failures_total", "Attempts at a backup that failed, and looks at a directory that cannot be read. A failed attempt is repeated every minute.", nil, nil)
	backupInterval = prometheus.NewDesc("creditd_backup_interval_seconds", "Time between two backups: --backup-interval.", nil, nil)
)

// describeBackups and collectBackups are the metrics of backups. Only a node that is to make some has them.
func describeBackups(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{backupLast, backupSize, backupDuration, backupFailures, backupInterval} {
		out <- d
	}
}

func (c *collector) collectBackups(out chan<- prometheus.Metric) {
	s, on := c.node.backups.Status()
	if !on {
		return
	}
	last := 0.0
	if !s.Last.IsZero() {
		last = float64(s.Last.Unix())
	}
	gauge := func(d *prometheus.Desc, v float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	gauge(backupLast, last)
	gauge(backupSize, float64(s.Size))
	gauge(backupDuration, s.Duration.Seconds())
	gauge(backupInterval, c.node.conf.Backups.Interval.Seconds())
	out <- prometheus.MustNewConstMetric(backupFailures, prometheus.CounterValue, float64(s.Failures))
}
