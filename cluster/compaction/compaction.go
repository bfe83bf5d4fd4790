// Package compaction bounds raft's log by bytes, and by the time that applying it again takes. raft itself counts entries, and one entry may
// have some bytes or ten megabytes.
//
// It takes a snapshot when the entries since the last one have more bytes than a limit, or took longer than another limit. It tells raft
// how many entries to keep behind a snapshot so that those have no more bytes than the limit either. When the disk is full it takes a
// snapshot early and keeps as little as possible. raft's own thresholds hold as well. A node that is about to stop takes a snapshot if that spares the
// next start work.
//
// The package knows neither the ledger nor other nodes.
package compaction

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
)

// Snapshotter is raft, which writes one snapshot at a time.
type Snapshotter interface {
	// Snapshot returns when raft begins the snapshot, behind the one that it may be writing.
	Snapshot() raft.SnapshotFuture
}

// Ask asks raft for a snapshot and returns at once. The channel gets the outcome; none may come once raft is shut down. Nothing new to write is no error.
func Ask(r Snapshotter) <-chan error {
	outcome := make(chan error, 1)
	go func() {
		err := r.Snapshot().Error()
		if errors.Is(err, raft.ErrNothingNewToSnapshot) {
			err = nil
		}
		outcome <- err
	}()
	return outcome
}

// Raft is what compaction asks of raft.
type Raft interface {
	Snapshotter
	ReloadableConfig() raft.ReloadableConfig
	ReloadConfig(raft.ReloadableConfig) error
}

// Log is the log on this node's disk.
type Log interface {
	// LogSize returns the size of all entries, and that of the entries behind the snapshot.
	LogSize() (total, sinceSnapshot uint64)
	// NewestEntries returns how many of the newest entries fit so many bytes; the largest number if all do.
	NewestEntries(bytes uint64) uint64
	// StateBytes is the size of the snapshot.
	StateBytes() uint64
	// SnapshotDuration is what the last snapshot took; 0: there was none.
	SnapshotDuration() time.Duration
	// DiskFull returns nil while changes are accepted.
	DiskFull() error
}

// Config is what a Compactor needs.
type Config struct {
	Raft Raft
	Log  Log
	// SnapshotBytes is the size of the log since the last snapshot that calls for the next one. A larger snapshot raises it to its own size, so
	// that a large ledger is not rewritten for a small log.
	SnapshotBytes uint64
	// Replay is how long it would take to apply the entries behind the last snapshot again. More than SnapshotReplay calls for the next one.
	Replay         func() time.Duration
	SnapshotReplay time.Duration
	// TrailingLogs is how many entries stay behind a snapshot at most.
	TrailingLogs uint64
	// Interval is how often the log is looked at.
	Interval time.Duration
	Logger   *slog.Logger
}

// Compactor bounds the log of one node.
type Compactor struct {
	conf Config
	// While the disk stays full or snapshots fail, attempts are repeated after longer and longer times: each may fill the disk.
	attempt time.Time     // of the next attempt
	wait    time.Duration // after it; 0: all was well
}

// New returns a compactor; see Run.
func New(conf Config) *Compactor { return &Compactor{conf: conf} }

// The times between two attempts that follow each other.
const (
	firstWait = 5 * time.Second
	lastWait  = 5 * time.Minute
)

// trailingWhenFull is how many bytes of the log stay behind a snapshot while the disk is full.
const trailingWhenFull = 1 << 20

// replayPerSnapshot is how many times the duration of a snapshot the entries before the next one take: so snapshots never take more than a
// fifth of the time, and far less while the node is not applying all the time.
const replayPerSnapshot = 4

// ReplayLimit is the time to apply the log since the last snapshot that calls for the next one. A snapshot that takes long raises it.
func (c *Compactor) ReplayLimit() time.Duration {
	return max(c.conf.SnapshotReplay, replayPerSnapshot*c.conf.Log.SnapshotDuration())
}

// Limit is the size of the log since the last snapshot that calls for the next one.
func (c *Compactor) Limit() uint64 { return max(c.conf.SnapshotBytes, c.conf.Log.StateBytes()) }

// Run bounds the log until ctx ends.
func (c *Compactor) Run(ctx context.Context) {
	ticker := time.NewTicker(c.conf.Interval)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			c.step(ctx, now)
		case <-ctx.Done():
			return
		}
	}
}

// step looks at the log once.
func (c *Compactor) step(ctx context.Context, now time.Time) {
	full := c.conf.Log.DiskFull() != nil
	limit := c.Limit()
	trailing := limit
	if full {
		trailing = min(limit, trailingWhenFull)
	}
	c.keep(max(1, min(c.conf.TrailingLogs, c.conf.Log.NewestEntries(trailing))))
	total, since := c.conf.Log.LogSize()
	if since <= limit && c.conf.Replay() <= c.ReplayLimit() && (!full || total <= trailing) { // nothing to gain
		if !full {
			c.wait = 0
		}
		return
	}
	if !c.due(now) {
		return
	}
	if full {
		c.conf.Logger.Info("the disk is nearly full: taking a snapshot early, so that the log can be shortened")
	}
	if c.snapshot(ctx) && !full {
		c.wait = 0
	}
}

// due reports whether it is time for an attempt, and sets the time of the next.
func (c *Compactor) due(now time.Time) bool {
	if c.wait > 0 && now.Before(c.attempt) {
		return false
	}
	c.wait = min(lastWait, max(firstWait, 2*c.wait))
	c.attempt = now.Add(c.wait)
	return true
}

// keep tells raft how many entries stay behind its next snapshot.
func (c *Compactor) keep(entries uint64) {
	settings := c.conf.Raft.ReloadableConfig()
	if settings.TrailingLogs == entries {
		return
	}
	settings.TrailingLogs = entries
	if err := c.conf.Raft.ReloadConfig(settings); err != nil {
		c.conf.Logger.Error("the number of log entries to keep could not be set", "entries", entries, "err", err)
	}
}

// littleReplay is how long a start may apply the log again although the node was stopped in good order.
const littleReplay = 20 * time.Millisecond

// BeforeStop takes a snapshot if the next start would apply more than a little of the log again. It gives up when ctx ends: nobody knows before how
// long the snapshot takes. It may run beside Run.
func (c *Compactor) BeforeStop(ctx context.Context) {
	replay := c.conf.Replay()
	switch {
	case replay <= littleReplay:
	case c.conf.Log.DiskFull() != nil:
		c.conf.Logger.Info("the disk is nearly full: no snapshot is taken before the stop, so the next start applies the log again", "takes", replay)
	default:
		c.snapshot(ctx)
	}
}

// snapshot takes a snapshot, after which raft shortens the log, and reports whether it succeeded.
func (c *Compactor) snapshot(ctx context.Context) (done bool) {
	select {
	case err := <-Ask(c.conf.Raft):
		if err != nil && ctx.Err() == nil && !errors.Is(err, raft.ErrRaftShutdown) {
			c.conf.Logger.Warn("a snapshot to shorten the log failed", "err", err)
			return false
		}
		return true
	case <-ctx.Done():
		return false
	}
}
