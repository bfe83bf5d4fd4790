package store

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store/failpoint"
)

// deleteChunk bounds one transaction of DeleteRange: bbolt keeps all changed pages in memory until it commits.
const deleteChunk = 2048

// monitoredLog is the log as raft sees it. The watchdog tracks each call, and an unexpected error is fatal. It must not have a method
// IsMonotonic: raft looks for the method, and boltdb allows gaps.
type monitoredLog struct {
	log      raft.LogStore
	watchdog *watchdog
	space    *spaceMonitor
	sizes    *logSizes
	path     string
	bulk     uint64 // maximum of entries deleted in one step; 0: no maximum

	onStored func() // called after entries were stored
	// needed returns the index of the oldest snapshot that a follower may be catching up from.
	needed func() (index uint64, any bool)
}

// monitoredMonotonicLog is the same for raft-wal, which allows no gaps. Installing a snapshot deletes the whole log.
type monitoredMonotonicLog struct {
	*monitoredLog
	// snapshot returns the present snapshot, nil without one. The field is nil while Open verifies the log itself.
	snapshot func() (*header, error)
}

// IsMonotonic implements raft.MonotonicLogStore.
func (*monitoredMonotonicLog) IsMonotonic() bool { return true }

var _ raft.MonotonicLogStore = (*monitoredMonotonicLog)(nil)

func (l *monitoredLog) FirstIndex() (index uint64, err error) {
	defer l.watchdog.finish(l.watchdog.begin(callLogRead, 0), l.path, "reading the log", &err)
	return l.log.FirstIndex()
}

func (l *monitoredLog) LastIndex() (index uint64, err error) {
	defer l.watchdog.finish(l.watchdog.begin(callLogRead, 0), l.path, "reading the log", &err)
	return l.log.LastIndex()
}

// GetLog also compares the index, because a misplaced page may hold a valid entry of another index. It removes the checksum: raft sends
// the entry to followers, and they add their own.
func (l *monitoredLog) GetLog(index uint64, entry *raft.Log) (err error) {
	defer l.watchdog.finish(l.watchdog.begin(callLogRead, 0), l.path, "reading the log", &err)
	if err := l.log.GetLog(index, entry); err != nil {
		return undecodable(l.path, index, err)
	}
	if entry.Index != index {
		return damaged(l.path, "the entry at index %d says it is %d", index, entry.Index)
	}
	if !unsealEntry(entry) {
		return damaged(l.path, "the entry at index %d fails its checksum", index)
	}
	return nil
}

// GetLog returns a stand-in for the last entry of the snapshot when the log begins behind it. A new leader whose log differs compares terms
// there. Without an answer it would send its snapshot, which may be older. There is no stand-in while the log has older entries: raft is
// just replacing them (raft.Restore), and a leader that could read both would send the stand-in in place of the snapshot.
func (l *monitoredMonotonicLog) GetLog(index uint64, entry *raft.Log) error {
	err := l.monitoredLog.GetLog(index, entry)
	if !errors.Is(err, raft.ErrLogNotFound) || l.snapshot == nil || index <= 1 {
		return err
	}
	h, wrong := l.snapshot()
	if wrong != nil {
		return wrong
	}
	if h == nil || h.Index != index {
		return err
	}
	first, wrong := l.FirstIndex()
	if wrong != nil {
		return wrong
	}
	if first != 0 && first < index {
		return err
	}
	*entry = raft.Log{Index: h.Index, Term: h.Term, Type: raft.LogNoop}
	return nil
}

func (l *monitoredLog) StoreLog(entry *raft.Log) error {
	return l.StoreLogs([]*raft.Log{entry})
}

func (l *monitoredLog) StoreLogs(entries []*raft.Log) (err error) {
	if err := l.watchdog.admit(); err != nil {
		return err
	}
	defer l.watchdog.finish(l.watchdog.begin(callLogWrite, 0), l.path, "writing the log", &err)
	if err := failpoint.Fail(failpoint.LogBeforeStore); err != nil {
		return err
	}
	if err := l.log.StoreLogs(sealEntries(entries)); err != nil {
		return l.space.segmentError(l.path, err)
	}
	l.sizes.add(entries)
	l.space.wrote(entries)
	l.onStored()
	return failpoint.Fail(failpoint.LogAfterStore)
}

// DeleteRange deletes in bounded steps. A crash between two steps must not leave a hole, so it deletes a prefix from the front and a
// suffix from the back. It keeps entries that a follower may need next, unless the disk is full: raft asks again with the next snapshot.
func (l *monitoredLog) DeleteRange(from, to uint64) error {
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	prefix := from <= first
	if compacts := prefix && to < last; compacts && !l.space.full.Load() {
		if needed, any := l.needed(); any {
			to = min(to, needed-1) // raft compares the term of the entry at needed
		}
	}
	if l.bulk == 0 {
		if from > to {
			return nil
		}
		return l.deleteRange(from, to)
	}
	from, to = max(from, first), min(to, last)
	for from <= to && first != 0 {
		lo, hi := from, to
		if hi-lo >= l.bulk {
			if prefix {
				hi = lo + l.bulk - 1
			} else {
				lo = hi - l.bulk + 1
			}
		}
		if err := l.deleteRange(lo, hi); err != nil {
			return err
		}
		if prefix {
			from = hi + 1
		} else {
			to = lo - 1
		}
	}
	return nil
}

func (l *monitoredLog) deleteRange(from, to uint64) (err error) {
	if err := l.watchdog.admit(); err != nil {
		return err
	}
	defer l.watchdog.finish(l.watchdog.begin(callLogDelete, 0), l.path, "truncating the log", &err)
	failpoint.Hit(failpoint.LogBeforeTruncate)
	if err = l.log.DeleteRange(from, to); err == nil {
		l.sizes.remove(from, to)
	}
	failpoint.Hit(failpoint.LogAfterTruncate)
	return err
}

// finish ends a call. It must be deferred directly, because it recovers a panic of bbolt on a damaged page. A missing entry or key is a
// result, not a failure.
func (d *watchdog) finish(slot *watchdogSlot, path, doing string, err *error) {
	slot.end()
	if p := recover(); p != nil {
		*err = damaged(path, "%s failed (%v)", doing, p)
	}
	if *err == nil || errors.Is(*err, raft.ErrLogNotFound) || errors.Is(*err, errNotFound) {
		return
	}
	*err = ioError(path, doing, *err)
	d.fail(*err)
}
