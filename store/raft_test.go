package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// counters is a small state machine that keeps its change set as the ledger does:
// against the snapshot it last wrote or restored.
type counters struct {
	mu      sync.Mutex
	values  map[string]uint64
	changed map[string]bool
	base    string
}

func newCounters() *counters {
	return &counters{values: map[string]uint64{}, changed: map[string]bool{}}
}

func (c *counters) Apply(l *raft.Log) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := string(l.Data)
	c.values[key]++
	c.changed[key] = true
	return nil
}

func (c *counters) Snapshot() (raft.FSMSnapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frozen := &frozenCounters{of: c, base: c.base, changes: map[string]uint64{}}
	for key := range c.changed {
		frozen.changes[key] = c.values[key]
	}
	c.changed = map[string]bool{}
	return frozen, nil
}

func (c *counters) Restore(r io.ReadCloser) error {
	records, err := store.RecordsOf(r)
	if err != nil {
		return err
	}
	values := map[string]uint64{}
	if err := records.Records(func(key, value []byte) error {
		values[string(key)] = binary.BigEndian.Uint64(value)
		return nil
	}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values, c.changed, c.base = values, map[string]bool{}, records.ID()
	return nil
}

func (c *counters) copyOf() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	values := map[string]uint64{}
	for k, v := range c.values {
		values[k] = v
	}
	return values
}

type frozenCounters struct {
	of      *counters
	base    string
	changes map[string]uint64
}

func (f *frozenCounters) Persist(s raft.SnapshotSink) error {
	k := s.(store.SnapshotSink)
	if k.Base() != f.base {
		return fmt.Errorf("changes for %q, but %q is held", f.base, k.Base())
	}
	for key, n := range f.changes {
		if err := k.Put([]byte(key), binary.BigEndian.AppendUint64(nil, n)); err != nil {
			return err
		}
	}
	if err := k.Close(); err != nil {
		return err
	}
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.of.base = k.ID()
	return nil
}

func (f *frozenCounters) Release() {}

type node struct {
	store *store.Store
	fsm   *counters
	trans *raft.InmemTransport
	raft  *raft.Raft
}

func startNode(t *testing.T, dir string, kind store.LogKind, address raft.ServerAddress) *node {
	t.Helper()
	n := &node{fsm: newCounters()}
	var err error
	n.store, err = store.Open(store.Options{Dir: dir, LogStore: kind, OnFatal: func(err error) { t.Error(err) }})
	require.NoError(t, err)
	_, n.trans = raft.NewInmemTransportWithTimeout(address, time.Second)
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(n.store.NodeID())
	conf.HeartbeatTimeout, conf.ElectionTimeout = 100*time.Millisecond, 100*time.Millisecond
	conf.LeaderLeaseTimeout, conf.CommitTimeout = 50*time.Millisecond, 5*time.Millisecond
	conf.TrailingLogs = 5
	conf.Logger = hclog.NewNullLogger()
	n.raft, err = raft.NewRaft(conf, n.fsm, n.store.Log(), n.store.Stable(), n.store.Snapshots(), n.trans)
	require.NoError(t, err)
	return n
}

func (n *node) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, n.raft.Shutdown().Error())
	require.NoError(t, n.trans.Close())
	require.NoError(t, n.store.Close())
}

func (n *node) apply(t *testing.T, count, over int) {
	t.Helper()
	var last raft.ApplyFuture
	for i := range count {
		last = n.raft.Apply(fmt.Appendf(nil, "counter-%d", i%over), 5*time.Second)
	}
	require.NoError(t, last.Error())
}

// All of it under raft itself: snapshots of changes, a follower that needs a
// full copy, log compaction, restarts, and a restored backup.
func TestRaft_SnapshotsInstallAndRestart(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dirs := []string{t.TempDir(), t.TempDir()}
			leader := startNode(t, dirs[0], kind, "leader")
			require.NoError(t, leader.raft.BootstrapCluster(raft.Configuration{Servers: []raft.Server{
				{ID: raft.ServerID(leader.store.NodeID()), Address: "leader"}}}).Error())
			await(t, "a leader", func() bool { return leader.raft.State() == raft.Leader })
			for range 3 {
				leader.apply(t, 60, 20)
				require.NoError(t, leader.raft.Snapshot().Error())
			}
			first, err := leader.store.Log().FirstIndex()
			require.NoError(t, err)
			require.Greater(t, first, uint64(100), "the log was compacted")

			follower := startNode(t, dirs[1], kind, "follower")
			leader.trans.Connect("follower", follower.trans)
			follower.trans.Connect("leader", leader.trans)
			require.NoError(t, leader.raft.AddNonvoter(raft.ServerID(follower.store.NodeID()), "follower", 0, 5*time.Second).Error())
			leader.apply(t, 7, 3)
			same := func(a, b *node) func() bool {
				return func() bool { return fmt.Sprint(a.fsm.copyOf()) == fmt.Sprint(b.fsm.copyOf()) }
			}
			await(t, "the follower to catch up", same(leader, follower))
			require.Equal(t, uint64(1), follower.store.Stats().Snapshots, "by one full copy")
			require.NoError(t, follower.raft.Snapshot().Error(), "changes on top of the copy")
			require.LessOrEqual(t, follower.store.Stats().SnapshotWritten, 3)

			// A backup taken here is restored later, at a position of its own.
			backup := leader.raft.Snapshot()
			require.NoError(t, backup.Error())
			meta, r, err := backup.Open()
			require.NoError(t, err)
			saved := leader.fsm.copyOf()
			var file bytes.Buffer
			_, err = io.Copy(&file, r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			leader.apply(t, 50, 20)
			require.NoError(t, leader.raft.Restore(meta, &file, 5*time.Second))
			require.Equal(t, saved, leader.fsm.copyOf())
			leader.apply(t, 5, 5)
			await(t, "the follower to be restored, too", same(leader, follower))
			require.NoError(t, leader.raft.Snapshot().Error())

			want := leader.fsm.copyOf()
			follower.stop(t)
			leader.stop(t)
			leader = startNode(t, dirs[0], "", "leader")
			follower = startNode(t, dirs[1], "", "follower")
			leader.trans.Connect("follower", follower.trans)
			follower.trans.Connect("leader", leader.trans)
			await(t, "a leader again", func() bool { return leader.raft.State() == raft.Leader })
			require.NoError(t, leader.raft.Barrier(5*time.Second).Error())
			require.Equal(t, want, leader.fsm.copyOf())
			await(t, "the follower to have all", same(leader, follower))
			follower.stop(t)
			leader.stop(t)
		})
	}
}
