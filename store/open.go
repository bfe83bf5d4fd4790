package store

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// seams let tests put a slow or failing store under the watchdog.
type seams struct {
	log    func(raft.LogStore) raft.LogStore
	stable func(raft.StableStore) raft.StableStore
	spill  int
}

// Open creates or opens a data directory, takes its lock, tests the disk and
// verifies what is there.
func Open(options Options) (*Store, error) { return open(options, seams{}) }

func open(options Options, seams seams) (_ *Store, err error) {
	options, err = options.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := makeDir(options.Dir); err != nil {
		return nil, err
	}
	if err := checkOurs(options.Dir); err != nil {
		return nil, err
	}
	s := &Store{dir: options.Dir}
	defer func() {
		if err != nil {
			_ = s.Close()
		}
	}()
	if s.lock, err = lockDir(s.dir); err != nil {
		return nil, err
	}
	if err := removeLeftovers(s.dir); err != nil {
		return nil, err
	}
	if err := checkDiverged(s.dir); err != nil {
		return nil, err
	}
	if err := selfTest(s.dir); err != nil {
		return nil, err
	}
	if err := s.openIdentity(options); err != nil {
		return nil, err
	}
	s.dog = newWatchdog(options.Logger, options.StallUnready, options.StallFatal, options.OnFatal)
	s.room = watchRoom(options)
	if err := s.openParts(options, seams); err != nil {
		return nil, err
	}
	if err := s.settlePhase(); err != nil {
		return nil, err
	}
	return s, nil
}

// openIdentity reads meta.json, or makes it for a new directory.
func (s *Store) openIdentity(options Options) error {
	id, err := loadIdentity(s.dir)
	if err != nil {
		return err
	}
	if id == nil {
		kind := options.LogStore
		if kind == "" {
			kind = DefaultLog
		}
		id = &identity{LayoutVersion: layoutVersion, NodeID: newNodeID(), LogKind: kind, Phase: phaseCreating}
		if err := saveIdentity(s.dir, *id); err != nil {
			return err
		}
	}
	if options.LogStore != "" && options.LogStore != id.LogKind {
		return &Error{Kind: KindLogKind, Path: s.dir,
			Message: fmt.Sprintf("the directory was made with a %s log, but %s is asked for; leave the kind out, or start with an empty directory", id.LogKind, options.LogStore)}
	}
	s.id, s.kind = *id, id.LogKind
	return nil
}

// openParts opens the three stores, after creating what an unfinished directory lacks.
func (s *Store) openParts(options Options, seams seams) error {
	creating := s.id.Phase == phaseCreating
	if creating {
		if err := createParts(s.dir, s.kind); err != nil {
			return err
		}
	} else if err := checkParts(s.dir, s.kind); err != nil {
		return err
	}
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
	spill := spillBytes
	if seams.spill > 0 {
		spill = seams.spill
	}
	snaps, snap, err := openSnapshots(s.dir, s.dog, options.Logger, spill)
	if err != nil {
		return err
	}
	s.snaps = snaps
	s.wrap(seams, logPath, stablePath)
	if err := s.checkMark(); err != nil {
		return err
	}
	if err := s.checkTerm(snap); err != nil {
		return err
	}
	if err := reconcile(s.log, s.kind, snap, logPath, options.Logger, s.clearMark); err != nil {
		return err
	}
	if err := readThrough(s.log, snap, logPath); err != nil {
		return err
	}
	if monotonic, ok := s.log.(*watchedMonotonicLog); ok {
		monotonic.snapshot = s.snaps.header
	}
	return nil
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
func (s *Store) wrap(seams seams, logPath, stablePath string) {
	var log raft.LogStore = s.rawLog
	if seams.log != nil {
		log = seams.log(log)
	}
	var stable raft.StableStore = s.rawStable
	if seams.stable != nil {
		stable = seams.stable(stable)
	}
	watched := &watchedLog{log: log, dog: s.dog, room: s.room, path: logPath, onStored: s.snaps.late.entryStored, needed: s.snaps.takers.oldest}
	if s.kind == LogWAL {
		s.log = &watchedMonotonicLog{watchedLog: watched}
	} else {
		watched.bulk = deleteChunk
		s.log = watched
	}
	s.stable = &stableStore{db: stable, dog: s.dog, path: stablePath, onActive: s.markActive, onTerm: s.snaps.late.newTerm}
	s.snaps.late.log = s.log
}

// foundingTerm is the term that raft writes when it founds a cluster, just before the first log entry. Elections begin with the one after.
const foundingTerm = 1

// undoFounding takes the term of a founding back that was interrupted before its log entry was written: raft would refuse to begin anew,
// and the node would have nothing to begin with. No other node can have seen this term. It returns the term that holds.
func (s *Store) undoFounding() (term uint64, err error) {
	last, err := s.log.LastIndex()
	if err != nil || last > 0 {
		return foundingTerm, err
	}
	if list, err := s.snaps.List(); err != nil || len(list) > 0 {
		return foundingTerm, err
	}
	// In this order: a directory that is active and has no term would be refused.
	if err := s.updateIdentity(func(now *identity) error { now.Phase = phaseReady; return nil }); err != nil {
		return 0, err
	}
	return 0, s.stable.put(keyCurrentTerm, make([]byte, 8))
}

// settlePhase moves a complete directory forward and refuses one that forgot.
func (s *Store) settlePhase() error {
	_, _, voted := s.stable.vote()
	if voted != nil && voted != errNotFound {
		return voted
	}
	term, err := s.stable.GetUint64(keyCurrentTerm)
	if err != nil && err != errNotFound {
		return err
	}
	if term == foundingTerm && voted == errNotFound {
		if term, err = s.undoFounding(); err != nil {
			return err
		}
	}
	if term == 0 && s.id.Phase == phaseActive {
		return &Error{Kind: KindMissing, Path: filepath.Join(s.dir, stableName),
			Message: "the node has been a member of a cluster but its term is gone: a node that lost a part of its state must not vote; " + rebuildNode}
	}
	if err := s.updateIdentity(func(now *identity) error {
		now.Closed = closedMark{}
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
