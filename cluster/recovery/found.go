package recovery

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/store"
)

// founding is a new data directory under construction.
type founding struct {
	store   *store.Store
	replica *replica.Replica
	failed  chan error // what the ledger could not take
}

// found begins a data directory.
func found(options store.Options) (*founding, error) {
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, err
	}
	s, err := store.Open(options)
	if err != nil {
		return nil, err
	}
	f := &founding{store: s, failed: make(chan error, 1)}
	f.replica = replica.New(replica.Config{
		Logger: slog.New(slog.DiscardHandler), CheckpointEntries: 1000, Configured: func([]raft.Server) {},
		Fail: func(err error) { f.failed <- err }, RaiseLedgerVersion: s.RaiseLedgerVersion,
	})
	return f, nil
}

// sink begins a snapshot.
func (f *founding) sink(index, term uint64) (store.SnapshotSink, error) {
	self := raft.ServerID(f.store.NodeID())
	// The node puts its own address in once it leads.
	alone := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: self, Address: rpc.Nowhere}}}
	created, err := f.store.Snapshots().Create(raft.SnapshotVersionMax, index, term, alone, index, nil)
	if err != nil {
		return nil, err
	}
	return created.(store.SnapshotSink), nil
}

// load makes the ledger that of the snapshot in the new directory, and checks it as a whole.
func (f *founding) load() error {
	list, err := f.store.Snapshots().List()
	if err != nil || len(list) != 1 {
		return errors.Join(err, errNoSnapshot)
	}
	_, source, err := f.store.Snapshots().Open(list[0].ID)
	if err != nil {
		return err
	}
	return errors.Join(f.replica.Restore(source), source.Close())
}

var errNoSnapshot = errors.New("the new directory has no snapshot")

// finish lets the ledger go on as a cluster, from a snapshot at an index, and closes the directory.
func (f *founding) finish(clusterID string, index, term, votedTerm uint64) error {
	f.replica.ContinueAs(clusterID)
	captured, err := f.replica.Snapshot()
	if err != nil {
		return err
	}
	defer captured.Release()
	sink, err := f.sink(index, term)
	if err != nil {
		return err
	}
	if err := captured.Persist(sink); err != nil {
		return err
	}
	if err := f.store.SetClusterID(clusterID); err != nil {
		return err
	}
	if err := f.store.Stable().SetUint64([]byte("CurrentTerm"), max(term, votedTerm)); err != nil {
		return err
	}
	return f.store.Close()
}

// discard gives up a directory that is not finished.
func (f *founding) discard(dir string) error {
	return errors.Join(f.store.Close(), os.RemoveAll(dir))
}

// copyAll copies a snapshot into a sink, as raft does when it installs one.
func copyAll(sink store.SnapshotSink, source io.Reader) error {
	if _, err := io.Copy(sink, source); err != nil {
		return errors.Join(fmt.Errorf("copying the snapshot: %w", err), sink.Cancel())
	}
	return sink.Close()
}
