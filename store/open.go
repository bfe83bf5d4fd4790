package store

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// testHooks let tests replace the stores with slow or failing ones.
type testHooks struct {
	log    func(raft.LogStore) raft.LogStore
	stable func(raft.StableStore) raft.StableStore
	spill  int
}

// Open creates or opens a data directory. It takes the lock, tests the disk and verifies the content.
func Open(options Options) (*Store, error) { return open(options, testHooks{}) }

func open(options Options, hooks testHooks) (_ *Store, err error) {
	options, err = options.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkReserve(options); err != nil {
		return nil, err
	}
	if err := makeDir(options.Dir); err != nil {
		return nil, err
	}
	if err := checkRemoved(options.Dir); err != nil {
		return nil, err
	}
	if err := checkOurs(options.Dir); err != nil {
		return nil, err
	}
	s := &Store{dir: options.Dir, reads: options.Reads, logger: options.Logger}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if _, err := loadIdentity(s.dir, s.reads); err != nil { // before LOCK is created where there is none
		return nil, err
	}
	if s.lock, err = lockDir(s.dir); err != nil {
		return nil, err
	}
	snap, err := s.inspect(options)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(options); err != nil {
		return nil, err
	}
	s.watchdog = newWatchdog(options.Logger, options.StallUnready, options.StallFatal, options.OnFatal)
	s.space = monitorSpace(options)
	if err := s.openParts(snap, options, hooks); err != nil {
		return nil, err
	}
	if err := s.checkPhase(); err != nil {
		return nil, err
	}
	return s, nil
}

// inspect reads what a locked directory says of itself, and refuses one that this build must not use. It changes nothing. snap is nil
// without a snapshot.
func (s *Store) inspect(options Options) (snap *header, err error) {
	if err := checkDiverged(s.dir); err != nil {
		return nil, err
	}
	id, err := loadIdentity(s.dir, s.reads)
	if err != nil || id == nil {
		return nil, err
	}
	if options.LogStore != "" && options.LogStore != id.LogKind {
		return nil, &Error{Kind: KindLogKind, Path: s.dir,
			Message: fmt.Sprintf("the directory was created with a %s log, but %s is requested; omit the kind, or start with an empty directory", id.LogKind, options.LogStore)}
	}
	s.id, s.kind = *id, id.LogKind
	if id.Phase == phaseCreating {
		return nil, nil
	}
	if err := checkParts(s.dir, s.kind); err != nil {
		return nil, err
	}
	return verifyState(filepath.Join(s.dir, stateName), s.reads)
}

// prepare makes an inspected directory ready for its parts: it removes leftovers, tests the disk, and gives a new directory its identity.
func (s *Store) prepare(options Options) error {
	if err := s.lock.sign(); err != nil {
		return err
	}
	if err := removeLeftovers(s.dir); err != nil {
		return err
	}
	if err := selfTest(s.dir); err != nil {
		return err
	}
	if s.id.NodeID != "" {
		return nil
	}
	s.kind = options.LogStore
	if s.kind == "" {
		s.kind = DefaultLog
	}
	s.id = identity{LayoutVersion: oldestLayout, NodeID: newNodeID(), LogKind: s.kind, Phase: phaseCreating}
	return saveIdentity(s.dir, s.id)
}

// openParts opens the three stores. In an unfinished directory it creates them first.
func (s *Store) openParts(snap *header, options Options, hooks testHooks) (err error) {
	creating := s.id.Phase == phaseCreating
	if creating {
		if err := createParts(s.dir, s.kind); err != nil {
			return err
		}
		if snap, err = verifyState(filepath.Join(s.dir, stateName), s.reads); err != nil {
			return err
		}
	}
	spill := spillBytes
	if hooks.spill > 0 {
		spill = hooks.spill
	}
	if s.snaps, err = openSnapshots(s, snap, options.Logger, spill); err != nil {
		return err
	}
	loaded := s.beginLoad(snap, options.Load)
	defer func() {
		if err != nil {
			s.snaps.closing.Store(true)
		}
		loaded()
	}()
	logPath, stablePath := filepath.Join(s.dir, s.kind.file()), filepath.Join(s.dir, stableName)
	stable, err := openRaftBolt(stablePath)
	if err != nil {
		return err
	}
	s.rawStable = stable
	if s.rawLog, err = openLog(s.dir, s.kind, options.Logger); err != nil {
		return err
	}
	if err := bindNode(s.rawStable, stablePath, s.id.NodeID, creating); err != nil {
		return err
	}
	if err := bindNode(s.rawLog, logPath, s.id.NodeID, creating); err != nil {
		return err
	}
	s.wrap(hooks, logPath, stablePath)
	if err := s.checkMarker(); err != nil {
		return err
	}
	if err := s.checkTerm(snap); err != nil {
		return err
	}
	if err := reconcile(s.log, s.kind, snap, logPath, options.Logger, s.clearMarker); err != nil {
		return err
	}
	if err := s.readThrough(snap, logPath); err != nil {
		return err
	}
	if bolt, ok := s.rawLog.(*raftboltdb.BoltStore); ok {
		reusable := func() uint64 {
			st := bolt.Stats()
			return uint64(st.FreePageN+st.PendingPageN) * uint64(os.Getpagesize())
		}
		s.space.reusable.Store(&reusable)
	}
	if monotonic, ok := s.log.(*monitoredMonotonicLog); ok {
		monotonic.snapshot = s.snaps.header
	}
	return nil
}

// beginLoad hands the records of the present snapshot to load, and returns what waits for its end.
func (s *Store) beginLoad(snap *header, load func(RecordReader)) (wait func()) {
	if snap == nil || load == nil {
		return func() {}
	}
	var loading sync.WaitGroup
	loading.Go(func() {
		if _, r, err := s.snaps.open(snap.ID); err == nil && r != nil { // else raft's own restore says why
			load(r)
			_ = r.Close() // only read
		}
	})
	return loading.Wait
}

func createParts(dir string, kind LogKind) error {
	stable, state := filepath.Join(dir, stableName), filepath.Join(dir, stateName)
	if err := createBolt(stable); err != nil {
		return err
	}
	if err := createLog(dir, kind); err != nil {
		return err
	}
	return createBolt(state, bucketRecords, bucketSnapshot)
}

// wrap puts the watchdog between raft and the stores.
func (s *Store) wrap(hooks testHooks, logPath, stablePath string) {
	var log raft.LogStore = s.rawLog
	if hooks.log != nil {
		log = hooks.log(log)
	}
	var stable raft.StableStore = s.rawStable
	if hooks.stable != nil {
		stable = hooks.stable(stable)
	}
	watched := &monitoredLog{log: log, watchdog: s.watchdog, space: s.space, path: logPath, onStored: s.snaps.stale.entryStored, needed: s.snaps.transfers.oldest, sizes: &s.sizes}
	if s.kind == LogWAL {
		s.log = &monitoredMonotonicLog{monitoredLog: watched}
	} else {
		watched.bulk = deleteChunk
		s.log = watched
	}
	s.stable = &stableStore{db: stable, watchdog: s.watchdog, path: stablePath, onActive: s.markActive, onTerm: s.snaps.stale.newTerm}
	s.snaps.stale.log = s.log
}

// bootstrapTerm is the term that raft writes when it bootstraps a cluster, before the first log entry. Elections use later terms.
const bootstrapTerm = 1

// undoBootstrap resets the term if a bootstrap was interrupted before its log entry: raft would refuse another bootstrap. No other node can
// have seen this term. It returns the term that counts.
func (s *Store) undoBootstrap() (term uint64, err error) {
	last, err := s.log.LastIndex()
	if err != nil || last > 0 {
		return bootstrapTerm, err
	}
	if list, err := s.snaps.List(); err != nil || len(list) > 0 {
		return bootstrapTerm, err
	}
	// The order matters: Open refuses an active directory without a term.
	if err := s.updateIdentity(func(now *identity) error { now.Phase = phaseReady; return nil }); err != nil {
		return 0, err
	}
	return 0, s.stable.put(keyCurrentTerm, make([]byte, 8))
}

// checkPhase advances the phase of a complete directory. It refuses one whose term was lost.
func (s *Store) checkPhase() error {
	_, _, voted := s.stable.vote()
	if voted != nil && voted != errNotFound {
		return voted
	}
	term, err := s.stable.GetUint64(keyCurrentTerm)
	if err != nil && err != errNotFound {
		return err
	}
	if term == bootstrapTerm && voted == errNotFound {
		if term, err = s.undoBootstrap(); err != nil {
			return err
		}
	}
	if term == 0 && s.id.Phase == phaseActive {
		return &Error{Kind: KindMissing, Path: filepath.Join(s.dir, stableName),
			Message: "the node was a member of a cluster but its term is missing: a node that lost a part of its state must not vote; " + rebuildNode}
	}
	if err := s.updateIdentity(func(now *identity) error {
		now.Closed = shutdownMarker{}
		if now.Phase == phaseCreating {
			now.Phase = phaseReady
		}
		if term > 0 {
			now.Phase = phaseActive
		}
		return nil
	}); err != nil {
		return err
	}
	s.opened = true
	return nil
}
