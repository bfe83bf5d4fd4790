package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// spillBytes is how much of a change set stays in memory. A larger one is sorted in files, and several transactions build a second state.db
// from them. bbolt keeps all pages of a transaction in memory, and the first snapshot of a large ledger is the whole ledger.
const spillBytes = 32 << 20

// snapshots implements raft.SnapshotStore on the one file state.db.
type snapshots struct {
	dir       string
	watchdog  *watchdog
	logger    *slog.Logger
	spill     int
	reads     Versions
	raise     func(version uint64, build string) error // before a snapshot of that ledger version becomes current
	stale     staleInstalls                            // set before the first use by raft
	transfers snapshotTransfers

	sequence atomic.Uint64 // numbers the incoming files
	closing  atomic.Bool   // tells readers to stop
	stopping atomic.Bool   // tells sinks to stop

	// writeMu is held while state.db changes in a transaction or is replaced.
	writeMu sync.Mutex

	mu      sync.Mutex
	current *stateFile // nil after close
	last    lastSnapshot
}

// lastSnapshot is what Stats reports about the newest snapshot.
type lastSnapshot struct {
	recordCounts
	total       int
	index, term uint64
	duration    time.Duration
	taken       uint64 // snapshots completed since Open
}

var _ raft.SnapshotStore = (*snapshots)(nil)

// openSnapshots opens state.db, which verifyState has checked and whose header is h.
func openSnapshots(s *Store, h *header, logger *slog.Logger, spill int) (*snapshots, error) {
	f, err := openStateFile(filepath.Join(s.dir, stateName))
	if err != nil {
		return nil, err
	}
	snaps := &snapshots{
		dir: s.dir, watchdog: s.watchdog, logger: logger, spill: spill, reads: s.reads, raise: s.RaiseLedgerVersion, current: f,
	}
	if h != nil {
		f.kinds = h.kinds
		snaps.last = lastSnapshot{total: h.Count, index: h.Index, term: h.Term}
	}
	return snaps, nil
}

// Create implements raft.SnapshotStore; the sink is a SnapshotSink.
func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport) (_ raft.SnapshotSink, err error) {
	if version != 1 {
		return nil, &Error{Kind: KindInvalid, Message: fmt.Sprintf("unsupported snapshot version %d", version)}
	}
	if err := s.watchdog.admit(); err != nil {
		return nil, err
	}
	defer s.watchdog.finish(s.watchdog.begin(callSnapshotRead, 0), filepath.Join(s.dir, stateName), "reading the snapshot", &err)
	base, err := s.header()
	if err != nil {
		return nil, err
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	k := &sink{store: s, started: time.Now(), header: header{
		Format: headerFormat, ID: fmt.Sprintf("%d-%d-%s", term, index, hex.EncodeToString(random)),
		Version: int(version), Index: index, Term: term,
		Configuration: raft.EncodeConfiguration(configuration), ConfigurationIndex: configurationIndex,
	}}
	if base != nil {
		k.base = base.ID
	}
	return k, nil
}

func (s *snapshots) header() (h *header, err error) {
	err = s.view(func(f *stateFile, tx *bbolt.Tx) error {
		h, err = readHeader(f.path, tx)
		return err
	})
	return h, err
}

// List implements raft.SnapshotStore: the one snapshot, or none.
func (s *snapshots) List() (list []*raft.SnapshotMeta, err error) {
	defer s.watchdog.finish(s.watchdog.begin(callSnapshotRead, 0), filepath.Join(s.dir, stateName), "reading the snapshot", &err)
	err = s.view(func(f *stateFile, tx *bbolt.Tx) error {
		h, err := readHeader(f.path, tx)
		if err != nil || h == nil {
			return err
		}
		meta, err := h.snapshotMeta(f.path, tx.Size())
		list = append(list, meta)
		return err
	})
	return list, err
}

// Open implements raft.SnapshotStore; the reader is a RecordReader. If the snapshot was replaced since List, raft lists again.
func (s *snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, r, err := s.open(id)
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, nil, &Error{Kind: KindStale, Path: filepath.Join(s.dir, stateName),
			Message: fmt.Sprintf("snapshot %s was replaced", id)}
	}
	return meta, r, nil
}

func (s *snapshots) open(id string) (meta *raft.SnapshotMeta, r *reader, err error) {
	defer s.watchdog.finish(s.watchdog.begin(callSnapshotRead, 0), filepath.Join(s.dir, stateName), "reading the snapshot", &err)
	f, err := s.acquire()
	if err != nil {
		return nil, nil, err
	}
	err = recoverPanic(f.path, func() error {
		tx, err := f.db.Begin(false)
		if err != nil {
			return err
		}
		h, err := readHeader(f.path, tx)
		if err == nil && h != nil && h.ID == id {
			if meta, err = h.snapshotMeta(f.path, tx.Size()); err == nil {
				r = &reader{store: s, file: f, tx: tx, header: h}
				return nil
			}
		}
		_ = tx.Rollback()
		return err
	})
	if r == nil {
		s.release(f)
	}
	return meta, r, err
}

// ErrStopping is the cause of the error of a snapshot that StopSnapshots ended.
var ErrStopping = errors.New("the node stops, and writes no more snapshots")

// StopSnapshots ends the snapshots that are written, and those to come. The present one stays. It is for a node that stops: raft waits for them.
func (s *Store) StopSnapshots() { s.snaps.stopping.Store(true) }

// mayGoOn returns an error once no snapshot is wanted any more.
func (s *snapshots) mayGoOn() error {
	if s.stopping.Load() {
		return &Error{Kind: KindClosed, Path: filepath.Join(s.dir, stateName), Message: "the snapshot was given up", Err: ErrStopping}
	}
	return nil
}

// close retires the file, and stops its readers and waits for them.
func (s *snapshots) close() error {
	s.closing.Store(true)
	s.writeMu.Lock()
	old := s.swap(nil)
	s.writeMu.Unlock()
	if old == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	select {
	case <-old.closed:
		return nil
	case <-ctx.Done():
		return &Error{Kind: KindFailed, Path: old.path, Message: "the snapshot is still being read; stop raft before closing the store"}
	}
}

func (s *snapshots) record(last lastSnapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last.taken = s.last.taken + 1
	s.last = last
}
