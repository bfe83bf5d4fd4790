package recovery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// Survey is what a survivor has, and what recovering from it may lose.
type Survey struct {
	NodeID    string
	ClusterID string        // as nodes compare it
	Servers   []raft.Server // of the last configuration, which may not be committed
	// SnapshotIndex is the last index that is certainly committed. The log goes on to LastIndex.
	SnapshotIndex, LastIndex, LastTerm uint64
	// Commands are the requests in the log behind the snapshot, and LastStamp is the leader's time on the newest, in Unix ms; 0: there are none.
	Commands  int
	LastStamp int64

	term uint64 // that raft wrote last
}

// Voter reports whether the survivor has a vote.
func (s Survey) Voter() bool {
	for _, server := range s.Servers {
		if string(server.ID) == s.NodeID {
			return server.Suffrage == raft.Voter
		}
	}
	return false
}

// Alone reports whether the configuration has no other voter: such a node needs no recovery.
func (s Survey) Alone() bool {
	for _, server := range s.Servers {
		if string(server.ID) != s.NodeID && server.Suffrage == raft.Voter {
			return false
		}
	}
	return s.Voter()
}

// Recovered is a survivor that became a cluster of one.
type Recovered struct {
	Survey    Survey
	NodeID    string // the new one
	ClusterID string // as nodes compare it, of the next generation
	Before    string // where the data from before is
}

// ErrDeclined is the error of a recovery that nobody confirmed.
var ErrDeclined = errors.New("nothing was changed")

// Recover makes a cluster of one of the node in options.Dir, which must be stopped. confirm sees what may be lost, and decides. The node goes on
// with every entry of its log, also with those that no majority may have. Its data from before stay in a directory inside. An interrupted
// recovery is completed by the next call, without confirm and with a Recovered that only has Before.
func Recover(options store.Options, confirm func(Survey) (bool, error)) (done Recovered, err error) {
	dir := options.Dir
	if resumed, err := resume(dir); resumed || err != nil {
		return Recovered{Before: newestBefore(dir)}, err
	}
	if !exists(filepath.Join(dir, store.MetaName)) {
		return done, fmt.Errorf("%s is no data directory of a node", dir)
	}
	old, err := store.Open(options)
	if err != nil {
		return done, err
	}
	done, err = recoverFrom(old, options, confirm)
	if err = errors.Join(err, old.Close()); err != nil {
		return done, err
	}
	if err := swap(dir); err != nil {
		return done, fmt.Errorf("%w; run the command again: it goes on where it ended", err)
	}
	done.Before = newestBefore(dir)
	return done, nil
}

// recoverFrom makes the new directory, and leaves the old one as it is.
func recoverFrom(old *store.Store, options store.Options, confirm func(Survey) (bool, error)) (done Recovered, err error) {
	if done.Survey, err = Look(old); err != nil {
		return done, err
	}
	switch yes, err := confirm(done.Survey); {
	case err != nil:
		return done, err
	case !yes:
		return done, ErrDeclined
	}
	staging := filepath.Join(options.Dir, stagingName)
	for _, left := range []string{staging, filepath.Join(options.Dir, readyName), filepath.Join(options.Dir, placingName)} { // by an interrupted recovery
		if err := os.RemoveAll(left); err != nil {
			return done, err
		}
	}
	options.Dir, options.LogStore = staging, old.LogKind()
	f, err := found(options)
	if err != nil {
		return done, err
	}
	done.NodeID, done.ClusterID = f.store.NodeID(), generation.Parse(done.Survey.ClusterID).Next().String()
	if err = f.replay(old, done.Survey); err == nil {
		err = f.finish(done.ClusterID, done.Survey.LastIndex, done.Survey.LastTerm, done.Survey.term)
	}
	if err != nil {
		return done, errors.Join(fmt.Errorf("recovering: %w", err), f.discard(staging))
	}
	return done, rename(staging, filepath.Join(filepath.Dir(staging), readyName))
}

// Look says what the node of a data directory has.
func Look(s *store.Store) (v Survey, err error) {
	v.NodeID, v.ClusterID = s.NodeID(), s.ClusterID()
	if v.Servers, err = s.Servers(); err != nil {
		return v, err
	}
	list, err := s.Snapshots().List()
	if err != nil {
		return v, err
	}
	if len(list) > 0 {
		v.SnapshotIndex, v.LastIndex, v.LastTerm = list[0].Index, list[0].Index, list[0].Term
	}
	last, err := s.Log().LastIndex()
	if err != nil {
		return v, err
	}
	for i := v.SnapshotIndex + 1; i <= last; i++ {
		var entry raft.Log
		if err := s.Log().GetLog(i, &entry); err != nil {
			return v, fmt.Errorf("log entry %d: %w", i, err)
		}
		v.LastIndex, v.LastTerm = entry.Index, entry.Term
		if entry.Type != raft.LogCommand {
			continue
		}
		batch, err := codec.DecodeBatch(entry.Data)
		if err != nil {
			return v, fmt.Errorf("log entry %d: %w", i, err)
		}
		if len(batch.Calls) > 0 {
			v.Commands, v.LastStamp = v.Commands+len(batch.Calls), batch.Stamp
		}
	}
	if v.ClusterID == "" || v.LastIndex == 0 || len(v.Servers) == 0 {
		return v, errors.New("this node never belonged to a cluster: there is nothing to recover")
	}
	v.term, err = s.Stable().GetUint64([]byte("CurrentTerm"))
	return v, err
}

// replay loads the snapshot of the old directory and applies its log.
func (f *founding) replay(old *store.Store, survey Survey) error {
	list, err := old.Snapshots().List()
	if err != nil {
		return err
	}
	if len(list) > 0 {
		meta, source, err := old.Snapshots().Open(list[0].ID)
		if err != nil {
			return err
		}
		sink, err := f.sink(meta.Index, meta.Term)
		if err == nil {
			err = copyAll(sink, source)
		}
		if err = errors.Join(err, source.Close()); err == nil {
			err = f.load()
		}
		if err != nil {
			return err
		}
	}
	applied := make(chan error, 1)
	go func() { applied <- f.apply(old.Log(), survey) }()
	select {
	case err := <-applied:
		return err
	case err := <-f.failed: // the ledger never returns after this
		return err
	}
}

// apply applies the log behind the snapshot.
func (f *founding) apply(log raft.LogStore, survey Survey) error {
	for i := survey.SnapshotIndex + 1; i <= survey.LastIndex; i++ {
		var entry raft.Log
		if err := log.GetLog(i, &entry); err != nil {
			return fmt.Errorf("log entry %d: %w", i, err)
		}
		f.replica.Apply(&entry)
	}
	return nil
}
