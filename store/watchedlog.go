package store

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store/failpoint"
)

// deleteChunk bounds one transaction of DeleteRange: bbolt keeps every touched
// page in memory until it commits.
const deleteChunk = 2048

// watchedLog is the log as raft sees it: each call under the watchdog, each
// unexpected error fatal. It must not have an IsMonotonic method: raft asks for
// it by type, and boltdb tolerates gaps.
type watchedLog struct {
	log  raft.LogStore
	dog  *watchdog
	room *room
	path string
	bulk uint64 // most entries deleted at once; 0 for no bound

	onStored func() // called after entries were stored
	// needed is the end of the oldest snapshot that a follower may be catching up from.
	needed func() (index uint64, any bool)
}

// watchedMonotonicLog adds the promise of raft-wal. An installed snapshot leaves
// nothing of it.
type watchedMonotonicLog struct {
	*watchedLog
	// snapshot is what is held, nil if there is nothing. It is not asked while the
	// directory is opened: what is verified then is the log itself.
	snapshot func() (*header, error)
}

// IsMonotonic implements raft.MonotonicLogStore.
func (*watchedMonotonicLog) IsMonotonic() bool { return true }

var _ raft.MonotonicLogStore = (*watchedMonotonicLog)(nil)

func (l *watchedLog) FirstIndex() (index uint64, err error) {
	defer l.dog.finish(l.dog.begin(callLogRead, 0), l.path, "reading the log", &err)
	return l.log.FirstIndex()
}

func (l *watchedLog) LastIndex() (index uint64, err error) {
	defer l.dog.finish(l.dog.begin(callLogRead, 0), l.path, "reading the log", &err)
	return l.log.LastIndex()
}

// GetLog also compares the index: a page that landed in the wrong place would
// otherwise hand raft a well-formed entry from elsewhere. The checksum does not
// leave it: raft sends what it reads to followers, who store it with one of their own.
func (l *watchedLog) GetLog(index uint64, entry *raft.Log) (err error) {
	defer l.dog.finish(l.dog.begin(callLogRead, 0), l.path, "reading the log", &err)
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

// GetLog stands in for the entry at which the snapshot ends when the log begins
// behind it. raft compares terms there with a new leader whose history differs
// in what follows; if it finds nothing it asks for a snapshot, and that leader's
// may be older than the one held. Only the position is true of it: nobody may be
// sent it, nor is, because raft sends no entry of whose predecessor it has not
// found the term. The first one has none.
func (l *watchedMonotonicLog) GetLog(index uint64, entry *raft.Log) error {
	err := l.watchedLog.GetLog(index, entry)
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
	*entry = raft.Log{Index: h.Index, Term: h.Term, Type: raft.LogNoop}
	return nil
}

func (l *watchedLog) StoreLog(entry *raft.Log) error {
	return l.StoreLogs([]*raft.Log{entry})
}

func (l *watchedLog) StoreLogs(entries []*raft.Log) (err error) {
	if err := l.dog.admit(); err != nil {
		return err
	}
	defer l.dog.finish(l.dog.begin(callLogWrite, 0), l.path, "writing the log", &err)
	if err := failpoint.Fail(failpoint.LogBeforeStore); err != nil {
		return err
	}
	if err := l.log.StoreLogs(sealEntries(entries)); err != nil {
		return err
	}
	l.room.wrote(entries)
	l.onStored()
	return failpoint.Fail(failpoint.LogAfterStore)
}

// DeleteRange deletes in bounded steps. A crash between two of them must leave a
// log without a hole, so a prefix goes from the front and a suffix from the back.
// Of a prefix it leaves what a follower may need next, while there is room: raft
// compacts the log with each snapshot and asks again.
func (l *watchedLog) DeleteRange(from, to uint64) error {
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	prefix := from <= first
	if compacts := prefix && to < last; compacts && !l.room.low.Load() {
		if needed, any := l.needed(); any {
			to = min(to, needed-1) // raft compares the terms at its end
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

func (l *watchedLog) deleteRange(from, to uint64) (err error) {
	if err := l.dog.admit(); err != nil {
		return err
	}
	defer l.dog.finish(l.dog.begin(callLogDelete, 0), l.path, "truncating the log", &err)
	failpoint.Hit(failpoint.LogBeforeTruncate)
	err = l.log.DeleteRange(from, to)
	failpoint.Hit(failpoint.LogAfterTruncate)
	return err
}

// finish ends a watched call. Deferred directly, so that it also recovers a panic
// of bbolt on a damaged page. A missing entry or key is an answer, not a failure.
func (d *watchdog) finish(slot *watchSlot, path, doing string, err *error) {
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
