package compaction

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// disk is a log of equal entries, and the raft that shortens it.
type disk struct {
	t                     *testing.T
	entry, state          uint64
	entries, since, taken uint64
	replay, takes         time.Duration // since the last snapshot; of a snapshot
	full                  error
	settings              raft.ReloadableConfig
	fails                 error
	hangs                 chan struct{} // nil: a snapshot ends at once
}

func (d *disk) LogSize() (total, since uint64) { return d.entries * d.entry, d.since * d.entry }
func (d *disk) NewestEntries(bytes uint64) uint64 {
	if d.entries*d.entry <= bytes {
		return math.MaxUint64
	}
	return bytes / d.entry
}
func (d *disk) StateBytes() uint64                         { return d.state }
func (d *disk) DiskFull() error                            { return d.full }
func (d *disk) SnapshotDuration() time.Duration            { return d.takes }
func (d *disk) ReloadableConfig() raft.ReloadableConfig    { return d.settings }
func (d *disk) ReloadConfig(c raft.ReloadableConfig) error { d.settings = c; return nil }

func (d *disk) Snapshot() raft.SnapshotFuture {
	d.taken++
	if d.fails == nil {
		d.since, d.entries, d.replay = 0, min(d.entries, d.settings.TrailingLogs), 0
	}
	return answered{err: d.fails, until: d.hangs}
}

type answered struct {
	raft.SnapshotFuture
	err   error
	until chan struct{}
}

func (a answered) Error() error {
	if a.until != nil {
		<-a.until
	}
	return a.err
}

func (d *disk) write(n uint64) { d.entries, d.since = d.entries+n, d.since+n }

func newDisk(t *testing.T, entry, state uint64) (*disk, *Compactor) {
	d := &disk{t: t, entry: entry, state: state, settings: raft.ReloadableConfig{TrailingLogs: 16384, SnapshotThreshold: 8192}}
	return d, New(Config{
		Raft: d, Log: d, SnapshotBytes: 64 << 20, Replay: func() time.Duration { return d.replay }, SnapshotReplay: time.Second,
		TrailingLogs: 16384, Interval: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
}

// occupied is a raft that writes another snapshot.
type occupied struct {
	Raft
	until chan struct{}
}

func (o occupied) Snapshot() raft.SnapshotFuture {
	<-o.until
	return answered{}
}

// Who waits for a snapshot can give up before raft has begun it.
func TestCompactor_GivesUpWhileRaftWritesAnotherSnapshot(t *testing.T) {
	d, c := newDisk(t, 100, 1<<20)
	d.replay = time.Second
	busy := occupied{d, make(chan struct{})}
	defer close(busy.until)
	c.conf.Raft = busy
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	c.BeforeStop(ctx)
}

// However large the entries are, the log stays below twice the limit, and what is written between two looks at it.
func TestCompactor_BoundsTheLogByBytes(t *testing.T) {
	for _, entry := range []uint64{100, 4 << 10, 256 << 10, 10 << 20} {
		for _, state := range []uint64{1 << 20, 300 << 20} {
			d, c := newDisk(t, entry, state)
			limit := max(64<<20, state)
			require.Equal(t, limit, c.Limit())
			step := max(1, (8<<20)/entry)
			now := time.Unix(0, 0)
			for range 400 {
				d.write(step)
				now = now.Add(time.Second)
				c.step(t.Context(), now)
				total, since := d.LogSize()
				require.LessOrEqual(t, since, limit+step*entry)
				require.LessOrEqual(t, total, 2*limit+2*step*entry)
			}
			require.LessOrEqual(t, d.taken*limit, 400*step*entry, "one snapshot for each limit's worth of log")
			require.NotZero(t, d.taken)
		}
	}
}

// However small the entries are, applying them again takes about a second at most. Where a snapshot itself takes long, it comes less often.
func TestCompactor_BoundsTheTimeToApplyTheLogAgain(t *testing.T) {
	for takes, want := range map[time.Duration]struct {
		limit time.Duration
		taken uint64
	}{
		0:                      {time.Second, 33},
		250 * time.Millisecond: {time.Second, 33},
		2 * time.Second:        {8 * time.Second, 5},
	} {
		d, c := newDisk(t, 200, 1<<20)
		d.takes = takes
		require.Equal(t, want.limit, c.ReplayLimit())
		now := time.Unix(0, 0)
		for range 100 {
			d.write(10)
			d.replay += 450 * time.Millisecond
			now = now.Add(time.Second)
			c.step(t.Context(), now)
			require.LessOrEqual(t, d.replay, want.limit)
		}
		require.Equal(t, want.taken, d.taken, "snapshots of %v", takes)
	}
}

// A ledger with small entries keeps what raft's own settings say.
func TestCompactor_LeavesASmallLogAlone(t *testing.T) {
	d, c := newDisk(t, 200, 1<<20)
	d.write(24_000)
	c.step(t.Context(), time.Unix(0, 0))
	require.Zero(t, d.taken)
	require.EqualValues(t, 16384, d.settings.TrailingLogs)
}

// A full disk is given space at once, and again after a while if that was not enough.
func TestCompactor_FreesAFullDisk(t *testing.T) {
	d, c := newDisk(t, 256<<10, 1<<20)
	d.write(200)
	now := time.Unix(1000, 0)
	c.step(t.Context(), now)
	require.Zero(t, d.taken)
	d.full = errors.New("nearly full")
	c.step(t.Context(), now)
	require.EqualValues(t, 1, d.taken)
	require.EqualValues(t, 4, d.entries, "a mebibyte stays")
	for second := range 60 {
		c.step(t.Context(), now.Add(time.Duration(second)*time.Second))
	}
	require.EqualValues(t, 1, d.taken, "there is nothing more to gain")
	d.full = nil
	d.write(100)
	c.step(t.Context(), now.Add(time.Minute))
	require.EqualValues(t, 16384, d.settings.TrailingLogs)
	d.full = errors.New("full again")
	c.step(t.Context(), now.Add(time.Minute+time.Second))
	require.EqualValues(t, 2, d.taken, "at once")
}

// A snapshot that fails may have filled the disk for a moment. So the next attempts come later and later, on a full disk or not.
func TestCompactor_PausesAfterAFailure(t *testing.T) {
	for _, full := range []error{nil, errors.New("nearly full")} {
		d, c := newDisk(t, 256<<10, 1<<20)
		d.write(400)
		d.full, d.fails = full, errors.New("no space left")
		now := time.Unix(1000, 0)
		for second := range 60 {
			c.step(t.Context(), now.Add(time.Duration(second)*time.Second))
		}
		require.EqualValues(t, 4, d.taken, "at once, and after 5, 15 and 35 seconds")
		d.fails = nil
		for second := range 600 {
			c.step(t.Context(), now.Add(time.Minute+time.Duration(second)*time.Second))
		}
		require.EqualValues(t, 5, d.taken)
	}
}

// A node that is about to stop takes a snapshot if the next start would have to apply much again. What the last
// snapshot took says little: it may have been of many more changes.
func TestCompactor_SavesBeforeAStop(t *testing.T) {
	full := errors.New("nearly full")
	for name, c := range map[string]struct {
		replay, takes time.Duration
		full          error
		taken         uint64
	}{
		"much to apply":                 {replay: time.Second, taken: 1},
		"next to nothing to apply":      {replay: 10 * time.Millisecond},
		"a full disk":                   {replay: time.Second, full: full},
		"the last snapshot took longer": {replay: time.Second, takes: 2 * time.Second, taken: 1},
	} {
		d, compactor := newDisk(t, 200, 1<<20)
		d.replay, d.takes, d.full = c.replay, c.takes, c.full
		compactor.BeforeStop(t.Context())
		require.Equal(t, c.taken, d.taken, name)
	}
}

// A snapshot that does not come to its end keeps no node from stopping.
func TestCompactor_GivesUpBeforeAStop(t *testing.T) {
	d, c := newDisk(t, 200, 1<<20)
	d.replay, d.hangs = time.Second, make(chan struct{})
	defer close(d.hangs)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.BeforeStop(ctx)
	}()
	cancel()
	<-ended
}
