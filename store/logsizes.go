package store

import (
	"math"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// entryOverhead is about what an entry takes on disk besides its data.
const entryOverhead = 64

// logSizes holds the size of every entry in the log. Neither kind of log can be asked for it: the files have free pages and reserves.
type logSizes struct {
	mu    sync.Mutex
	first uint64   // index of the first entry; guarded by mu
	sizes []uint32 // of the entries from first on; guarded by mu
	total uint64   // guarded by mu
}

func sizeOfEntry(e *raft.Log) uint32 {
	return uint32(min(len(e.Data)+len(e.Extensions)+entryOverhead, math.MaxUint32))
}

// set replaces all sizes.
func (l *logSizes) set(first uint64, sizes []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.sizes, l.total = first, sizes, 0
	for _, size := range sizes {
		l.total += uint64(size)
	}
}

// add notes entries that were stored. An entry that was there is replaced, with all that followed it.
func (l *logSizes) add(entries []*raft.Log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		switch next := l.first + uint64(len(l.sizes)); {
		case len(l.sizes) == 0 || e.Index > next || e.Index < l.first: // behind an installed snapshot
			l.first, l.sizes, l.total = e.Index, l.sizes[:0], 0
		case e.Index < next:
			l.cutLocked(e.Index)
		}
		size := sizeOfEntry(e)
		l.sizes, l.total = append(l.sizes, size), l.total+uint64(size)
	}
}

// remove notes that a prefix or a suffix was deleted.
func (l *logSizes) remove(from, to uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.first + uint64(len(l.sizes))
	switch {
	case to < l.first || from >= next:
	case from <= l.first:
		n := min(to+1, next) - l.first
		for _, size := range l.sizes[:n] {
			l.total -= uint64(size)
		}
		l.first, l.sizes = l.first+n, l.sizes[n:]
	default:
		l.cutLocked(from)
	}
}

// cutLocked forgets the entries from an index on.
func (l *logSizes) cutLocked(index uint64) {
	kept := index - l.first
	for _, size := range l.sizes[kept:] {
		l.total -= uint64(size)
	}
	l.sizes = l.sizes[:kept]
}

// above returns the size of all entries, and that of the entries above an index.
func (l *logSizes) above(index uint64) (total, above uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if index+1 <= l.first {
		return l.total, l.total
	}
	for _, size := range l.sizes[min(index+1-l.first, uint64(len(l.sizes))):] {
		above += uint64(size)
	}
	return l.total, above
}

// newest returns how many of the newest entries fit so many bytes; the largest number if all do.
func (l *logSizes) newest(bytes uint64) (n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total <= bytes {
		return math.MaxUint64
	}
	sum := uint64(0)
	for at := len(l.sizes) - 1; at >= 0; at-- {
		if sum += uint64(l.sizes[at]); sum > bytes {
			break
		}
		n++
	}
	return n
}

// LogSize returns the size of all entries of the log, and that of the entries behind the snapshot.
func (s *Store) LogSize() (total, sinceSnapshot uint64) {
	s.snaps.mu.Lock()
	index := s.snaps.last.index
	s.snaps.mu.Unlock()
	return s.sizes.above(index)
}

// NewestEntries returns how many of the newest entries of the log fit so many bytes; the largest number if all do.
func (s *Store) NewestEntries(bytes uint64) uint64 { return s.sizes.newest(bytes) }

// StateBytes returns the size of state.db.
func (s *Store) StateBytes() uint64 { return uint64(sizeOf(filepath.Join(s.dir, stateName))) }

// SnapshotDuration returns what the last snapshot took, from Create to Close; 0: none was taken since Open.
func (s *Store) SnapshotDuration() time.Duration {
	s.snaps.mu.Lock()
	defer s.snaps.mu.Unlock()
	return s.snaps.last.duration
}
