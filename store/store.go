package store

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// The default limits of the watchdog.
const (
	DefaultStallUnready = 2 * time.Second
	DefaultStallFatal   = 5 * time.Second
)

// Options says which directory to open and how.
type Options struct {
	Dir string
	// LogStore is the kind of log. Empty is the kind of the directory, or DefaultLog for a new one.
	LogStore LogKind
	Logger   *slog.Logger // nil discards
	// While a call takes longer than StallUnready, Healthy returns an error. A call longer than StallFatal is fatal. 0 is the default.
	StallUnready, StallFatal time.Duration
	// While less than ReserveBytes are free on the directory's file system, DiskFull returns an error. 0 turns this off.
	ReserveBytes uint64
	// Reads is what this build reads. Open refuses a directory that needs another version before it changes anything in it.
	Reads Versions
	// Load takes the records of the present snapshot while Open checks the log, which takes about as long. Open waits for its end, and its reader
	// is valid only during the call. nil: nobody does.
	Load func(RecordReader)
	// FreeBytes replaces the function FreeBytes in tests.
	FreeBytes func(dir string) (uint64, error)
	// OnFatal is called at most once, from its own goroutine, when a call failed or took longer than StallFatal. The node must stop then:
	// the store refuses all writes. OnFatal may call Close.
	OnFatal func(error)
}

func (o Options) withDefaults() (Options, error) {
	if o.LogStore != "" {
		if err := o.LogStore.validate(); err != nil {
			return o, err
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FreeBytes == nil {
		o.FreeBytes = FreeBytes
	}
	if o.StallUnready == 0 {
		o.StallUnready = DefaultStallUnready
	}
	if o.StallFatal == 0 {
		o.StallFatal = max(DefaultStallFatal, o.StallUnready)
	}
	if o.StallUnready < 0 || o.StallFatal < o.StallUnready {
		return o, &Error{Kind: KindInvalid, Message: fmt.Sprintf("StallFatal (%v) must not be below StallUnready (%v), nor either below 0", o.StallFatal, o.StallUnready)}
	}
	reads, err := o.Reads.withDefaults()
	o.Reads = reads
	return o, err
}

// Store is an open data directory.
type Store struct {
	dir   string
	kind  LogKind
	reads Versions

	logger *slog.Logger

	lock      *dirLock
	watchdog  *watchdog
	space     *spaceMonitor
	rawLog    logStore
	rawStable logStore
	log       raft.LogStore
	stable    *stableStore
	snaps     *snapshots
	sizes     logSizes

	opened bool // Open succeeded

	mu sync.Mutex
	id identity // what meta.json holds

	closeOnce sync.Once
	closeErr  error
}

// NodeID returns the node's id, which was drawn when the directory was created.
func (s *Store) NodeID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id.NodeID
}

// LogKind returns the kind of the log.
func (s *Store) LogKind() LogKind { return s.kind }

// ClusterID returns the recorded cluster, or "".
func (s *Store) ClusterID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id.ClusterID
}

// SetClusterID durably records the cluster of this node. A node never changes its cluster.
func (s *Store) SetClusterID(id string) error {
	if id == "" {
		return &Error{Kind: KindInvalid, Message: "an empty cluster id"}
	}
	return s.updateIdentity(func(now *identity) error {
		if now.ClusterID != "" && now.ClusterID != id {
			return &Error{Kind: KindForeign, Path: s.dir,
				Message: fmt.Sprintf("the directory belongs to cluster %q, not %q; use another directory, or join the right cluster", now.ClusterID, id)}
		}
		now.ClusterID = id
		return nil
	})
}

// markActive records that raft has written its first term.
func (s *Store) markActive() error {
	return s.updateIdentity(func(now *identity) error {
		now.Phase = phaseActive
		return nil
	})
}

// updateIdentity changes meta.json. It writes only if something is different.
func (s *Store) updateIdentity(change func(*identity) error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.id
	if err := change(&next); err != nil {
		return err
	}
	if next == s.id {
		return nil
	}
	if err := s.watchdog.admit(); err != nil {
		return err
	}
	defer s.watchdog.finish(s.watchdog.begin(callStableWrite, 0), filepath.Join(s.dir, MetaName), "writing", &err)
	if err := saveIdentity(s.dir, next); err != nil {
		return err
	}
	s.id = next
	return nil
}

// Log returns raft's log. It implements raft.MonotonicLogStore for LogWAL only.
func (s *Store) Log() raft.LogStore { return s.log }

// Stable returns raft's stable store.
func (s *Store) Stable() raft.StableStore { return s.stable }

// Snapshots returns raft's snapshot store, whose sinks are SnapshotSinks.
func (s *Store) Snapshots() raft.SnapshotStore { return s.snaps }

// HasState reports whether raft has ever written to the directory.
func (s *Store) HasState() (bool, error) {
	return raft.HasExistingState(s.log, s.stable, s.snaps)
}

// Healthy returns nil, the fatal error, or an error that names a call that has run for longer than StallUnready.
func (s *Store) Healthy() error { return s.watchdog.healthy() }

// Close closes everything and releases the directory. Callers may call it twice. Stop raft first: Close waits for running calls.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	var errs []error
	if s.opened && s.watchdog.admit() == nil {
		errs = append(errs, s.writeMarker())
	}
	if s.watchdog != nil {
		s.watchdog.close()
	}
	if s.space != nil {
		s.space.close()
	}
	if s.snaps != nil {
		errs = append(errs, s.snaps.close())
	}
	if s.rawLog != nil {
		errs = append(errs, ioError(filepath.Join(s.dir, s.kind.file()), "closing", s.rawLog.Close()))
	}
	if s.rawStable != nil {
		errs = append(errs, ioError(filepath.Join(s.dir, stableName), "closing", s.rawStable.Close()))
	}
	if s.lock != nil {
		errs = append(errs, ioError(filepath.Join(s.dir, LockName), "closing", s.lock.release()))
	}
	return errors.Join(errs...)
}
