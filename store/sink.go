package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"

	"github.com/creditd/creditd/store/failpoint"
)

// SnapshotSink is what SnapshotStore.Create returns. A caller uses it in one of two ways: Put, Delete, Reset and SetLedger describe the
// changes since the snapshot Base; Write receives a whole file. Close replaces the current snapshot, or fails and leaves it.
type SnapshotSink interface {
	raft.SnapshotSink
	// Base is the id of the snapshot that the changes are applied to, "" without one. If the caller's changes are relative to another
	// snapshot, the caller must Reset and put everything, or give up.
	Base() string
	// Reset drops all records of the base, so that Put gives the whole state. It must come before the first Put or Delete.
	Reset() error
	// Put writes a record. key and value are copied.
	Put(key, value []byte) error
	// Delete removes a record. It ignores a key without one.
	Delete(key []byte) error
	// SetLedger describes the ledger at the snapshot's index. A received file has its own description.
	SetLedger(Ledger)
	// CheckInstall sets a check that a received file must pass, in addition to the checksums, before it replaces the present one. The
	// reader is valid only during the call.
	CheckInstall(check func(RecordReader) error)
	// Pace sets what is called again and again between two changes, by their caller and while Close writes them or copies the base. It may
	// sleep, for the others on the machine. The time that it takes does not count for the duration of the snapshot.
	Pace(between func())
}

type sinkMode int

const (
	modeNone sinkMode = iota
	modeChanges
	modeInstall
)

// How full bbolt leaves the pages that it splits. A file that is written in key order needs no space for later keys.
const (
	fillOrdered = 0.9
	fillUpdates = 0.65
)

// leastBeside is how many changes in place delay nobody: a MiB.
const leastBeside = 256

// pagesOf estimates how many bytes a transaction with these changes writes: a page for each.
func pagesOf(list []change) int64 { return int64(len(list)) * 4096 }

// allowance is the extra time for a call that moves this many bytes. A disk below 8 MB/s counts as hung.
func allowance(bytes int64) time.Duration {
	return time.Duration(bytes/(8<<10)) * time.Millisecond
}

// sink implements SnapshotSink.
type sink struct {
	store   *snapshots
	header  header // of the new snapshot
	base    string
	started time.Time

	mode    sinkMode
	reset   bool
	changes changes
	runs    []*run        // changes that were moved to files
	staging *stagingFile  // while Close builds a second file
	in      *incomingFile // in modeInstall
	check   func(RecordReader) error
	done    recordCounts
	closed  bool
	commit  *watchdogSlot // of the commit under way

	pace    func() // nil: there is none
	unpaced int    // changes since it was called
	paced   time.Duration
}

// paceEvery is how many changes come between two calls of the pace: well below a millisecond.
const paceEvery = 64

func (k *sink) Pace(between func()) { k.pace = between }

// breathe calls the pace now and then. An error ends the snapshot.
func (k *sink) breathe() error {
	if k.unpaced++; k.unpaced < paceEvery {
		return nil
	}
	k.unpaced = 0
	return k.rest()
}

// rest calls the pace. An error ends the snapshot.
func (k *sink) rest() error {
	if k.pace != nil {
		began := time.Now()
		k.store.watchdog.pause(k.commit, k.pace)
		k.paced += time.Since(began)
	}
	return k.store.mayGoOn()
}

// begin tells the watchdog of a commit that may rest and wait.
func (k *sink) begin(extra time.Duration) (end func()) {
	k.commit = k.store.watchdog.begin(callSnapshotCommit, extra)
	return func() {
		k.commit.end()
		k.commit = nil
	}
}

// lockWrites waits for another sink, whose commit the watchdog measures by itself.
func (k *sink) lockWrites() { k.store.watchdog.pause(k.commit, k.store.writeMu.Lock) }

var _ SnapshotSink = (*sink)(nil)

func (k *sink) ID() string                                  { return k.header.ID }
func (k *sink) Base() string                                { return k.base }
func (k *sink) SetLedger(l Ledger)                          { l.Digest = bytes.Clone(l.Digest); k.header.setLedger(l) }
func (k *sink) CheckInstall(check func(RecordReader) error) { k.check = check }
func (k *sink) statePath() string                           { return filepath.Join(k.store.dir, stateName) }

// enter checks that the sink is open and is used in only one of the two ways.
func (k *sink) enter(mode sinkMode) error {
	if k.closed {
		return &Error{Kind: KindClosed, Path: k.statePath(), Message: "the snapshot sink is closed"}
	}
	if k.mode != modeNone && k.mode != mode {
		return &Error{Kind: KindInvalid, Path: k.statePath(), Message: "a snapshot takes either changes or a whole file, not both"}
	}
	k.mode = mode
	return k.store.mayGoOn()
}

func (k *sink) Reset() error {
	if err := k.enter(modeChanges); err != nil {
		return err
	}
	if len(k.changes.list) > 0 || len(k.runs) > 0 {
		return &Error{Kind: KindInvalid, Path: k.statePath(), Message: "Reset must come before the first change"}
	}
	k.reset = true
	return nil
}

func (k *sink) Put(key, value []byte) error { return k.change(key, value, false) }

func (k *sink) Delete(key []byte) error { return k.change(key, nil, true) }

func (k *sink) change(key, value []byte, remove bool) error {
	if err := k.enter(modeChanges); err != nil {
		return err
	}
	if len(key) == 0 || len(key) > bbolt.MaxKeySize || len(value) > bbolt.MaxValueSize-crcSize {
		return &Error{Kind: KindInvalid, Path: k.statePath(), Message: fmt.Sprintf("a record of %d + %d bytes cannot be stored", len(key), len(value))}
	}
	if err := k.breathe(); err != nil {
		return err
	}
	k.changes.add(key, value, remove)
	if k.changes.bytes >= k.store.spill {
		return k.report(k.spill())
	}
	return nil
}

// Write receives a part of a file.
func (k *sink) Write(p []byte) (int, error) {
	if err := k.enter(modeInstall); err != nil {
		return 0, err
	}
	if err := k.store.watchdog.admit(); err != nil {
		return 0, err
	}
	if k.in == nil {
		if err := k.store.checkInstall(&k.header); err != nil {
			return 0, err
		}
		in, err := k.store.createIncoming()
		if err != nil {
			return 0, k.report(err)
		}
		k.in = in
	}
	slot := k.store.watchdog.begin(callSnapshotWrite, 0)
	failpoint.Hit(failpoint.CopyReceived)
	n, err := k.in.write(p)
	slot.end()
	return n, k.report(err)
}

// Close makes the snapshot durable and current. Callers may call it twice.
func (k *sink) Close() error {
	if k.closed {
		return nil
	}
	err := k.store.watchdog.admit()
	if err == nil {
		err = k.store.mayGoOn()
	}
	if err == nil {
		if k.mode == modeInstall {
			err = k.finishInstall()
		} else {
			err = k.finishChanges()
		}
	}
	if err != nil {
		_ = k.Cancel()
		return k.report(err)
	}
	k.closed = true
	k.discardParts()
	k.store.record(lastSnapshot{recordCounts: k.done, total: k.header.Count,
		index: k.header.Index, term: k.header.Term, duration: time.Since(k.started) - k.paced})
	return nil
}

// Cancel drops what was written. The present snapshot stays.
func (k *sink) Cancel() error {
	if k.closed {
		return nil
	}
	k.closed = true
	k.discardParts()
	return nil
}

func (k *sink) discardParts() {
	k.changes = changes{}
	for _, r := range k.runs {
		r.discard()
	}
	k.runs = nil
	if k.staging != nil {
		k.staging.discard()
	}
	if k.in != nil {
		k.in.discard()
	}
}

// report tells the watchdog about a failed write. A full disk is not fatal here: the present snapshot stays, and raft tries again. Nor is
// a bad file from a peer, or a base that was replaced. A file of a ledger version that this build does not read is fatal: the cluster has
// that version, so the node cannot follow it.
func (k *sink) report(err error) error {
	switch KindOf(err) {
	case KindFailed, KindDamaged, KindNewer, KindOlder:
		k.store.watchdog.fail(err)
	}
	return err
}

// raise records the ledger version of the snapshot before the snapshot becomes current, so that no directory has more than it says.
func (k *sink) raise() error {
	l := k.header.ledger()
	return k.store.raise(l.Version, l.Build)
}

func (k *sink) finishChanges() error {
	if err := k.raise(); err != nil {
		return err
	}
	if beside, err := k.goesBeside(); err != nil {
		return err
	} else if beside {
		return k.finishStaging()
	}
	defer k.begin(allowance(pagesOf(k.changes.list)))()
	k.lockWrites()
	defer k.store.writeMu.Unlock()
	f, err := k.store.acquire()
	if err != nil {
		return err
	}
	defer k.store.release(f)
	err = recoverPanic(f.path, func() error {
		return f.db.Update(func(tx *bbolt.Tx) error {
			base, err := readHeader(f.path, tx)
			if err != nil {
				return err
			}
			if err := k.checkBase(base); err != nil {
				return err
			}
			fill := fillUpdates
			if base == nil {
				fill = fillOrdered
			} else {
				k.header.Count, k.header.Sum = base.Count, base.Sum
			}
			if k.done, err = applyChanges(f.path, tx, k.changes.inOrder(), &k.header, fill, k.breathe); err != nil {
				return err
			}
			if err := writeHeader(tx, &k.header); err != nil {
				return err
			}
			return failpoint.Fail(failpoint.SnapshotBeforeCommit)
		})
	})
	if err == nil {
		failpoint.Hit(failpoint.SnapshotAfterCommit)
	}
	return ioError(f.path, "writing the snapshot", err)
}

// goesBeside reports whether the changes go into a copy of the file, in small steps. In place they are one transaction, which writes its pages at
// once, and the log waits for them. So a copy is better where they are a quarter of the file, even though it writes the rest as well.
func (k *sink) goesBeside() (bool, error) {
	if k.reset || len(k.runs) > 0 {
		return true, nil
	}
	if len(k.changes.list) < leastBeside {
		return false, nil
	}
	info, err := os.Stat(k.statePath())
	if err != nil {
		return false, ioError(k.statePath(), "reading the size", err)
	}
	return 4*pagesOf(k.changes.list) >= info.Size(), nil
}

// checkBase refuses changes that are relative to another snapshot than now, for example because the leader installed one since Create.
func (k *sink) checkBase(now *header) error {
	var id string
	var index uint64
	if now != nil {
		id, index = now.ID, now.Index
	}
	if id != k.base || (!k.reset && index > k.header.Index) {
		return &Error{Kind: KindStale, Path: k.statePath(),
			Message: fmt.Sprintf("the changes up to index %d are for snapshot %q, but %q at index %d has replaced it; take a new snapshot", k.header.Index, k.base, id, index)}
	}
	return nil
}
