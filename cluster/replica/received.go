package replica

import (
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// Snapshots is the snapshot store to give to raft. A copy that another node sends replaces the snapshot on disk only if it loads, and
// Restore takes the ledger that was loaded for the check.
func (r *Replica) Snapshots(disk raft.SnapshotStore) raft.SnapshotStore { return checkedStore{disk, r} }

type checkedStore struct {
	raft.SnapshotStore
	replica *Replica
}

// Create implements raft.SnapshotStore.
func (s checkedStore) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	created, err := s.SnapshotStore.Create(version, index, term, configuration, configurationIndex, trans)
	if err != nil {
		return nil, err
	}
	sink, ok := created.(store.SnapshotSink)
	if !ok {
		return nil, fmt.Errorf("the sink is a %T, not one of package store", created)
	}
	k := &checkedSink{SnapshotSink: sink, replica: s.replica}
	sink.CheckInstall(k.check)
	return k, nil
}

// Open implements raft.SnapshotStore. A copy that is sent rests as a snapshot does.
func (s checkedStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, r, err := s.SnapshotStore.Open(id)
	if copied, ok := r.(store.PacedCopy); ok && err == nil {
		copied.Pace(s.replica.pace().Rest)
	}
	return meta, r, err
}

// checkedSink is a store.SnapshotSink that loads what was copied into it.
type checkedSink struct {
	store.SnapshotSink
	replica *Replica
	state   *fsm.State // nil unless a copy was checked
}

func (k *checkedSink) check(records store.RecordReader) (err error) {
	k.state, err = load(records)
	return err
}

// Close implements raft.SnapshotSink.
func (k *checkedSink) Close() error {
	if err := k.SnapshotSink.Close(); err != nil {
		return err
	}
	if k.state != nil {
		k.replica.copied.put(k.ID(), k.state)
		k.state = nil
	}
	return nil
}

// received holds the ledger of a copy from the moment it is installed on disk until raft restores it.
type received struct {
	mu    sync.Mutex
	id    string     // guarded by mu: of the snapshot
	state *fsm.State // guarded by mu: nil if there is none
}

func (c *received) put(id string, state *fsm.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.state = id, state
}

// take returns the ledger of a snapshot, once, and nil if there is none or it is of another one.
func (c *received) take(id string) (state *fsm.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.id == id {
		state = c.state
	}
	c.id, c.state = "", nil
	return state
}
