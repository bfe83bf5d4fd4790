package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Stats are the present figures, for metrics.
type Stats struct {
	LogStore    LogKind
	LogBytes    int64 // on disk
	StableBytes int64
	StateBytes  int64

	LogEntryBytes, LogBytesSinceSnapshot uint64 // of the entries

	LogFirstIndex uint64 // of the oldest entry in the log, 0 if it is empty: followers that need an earlier one get a snapshot

	FreeBytes    uint64 // of the file system
	ReserveBytes uint64
	DiskFull     bool

	StateFreePages    int // free for the next snapshot
	StatePendingPages int // become free when their readers are done

	Snapshots        uint64 // completed since Open
	SnapshotIndex    uint64
	SnapshotTerm     uint64
	SnapshotRecords  int // records in state.db
	SnapshotWritten  int // by the last snapshot
	SnapshotDeleted  int
	SnapshotDuration time.Duration // of the last snapshot, from Create to Close, without its rests
}

// Stats returns the figures. It does not wait for writes.
func (s *Store) Stats() Stats {
	st := Stats{
		LogStore:    s.kind,
		LogBytes:    sizeOf(filepath.Join(s.dir, s.kind.file())),
		StableBytes: sizeOf(filepath.Join(s.dir, stableName)),
		StateBytes:  sizeOf(filepath.Join(s.dir, stateName)),
		FreeBytes:   s.space.free.Load(), ReserveBytes: s.space.reserve, DiskFull: s.space.full.Load(),
	}
	st.LogEntryBytes, st.LogBytesSinceSnapshot = s.LogSize()
	if first, err := s.rawLog.FirstIndex(); err == nil { // raft meets the error too, or the store is closing
		st.LogFirstIndex = first
	}
	s.snaps.mu.Lock()
	defer s.snaps.mu.Unlock()
	last := s.snaps.last
	st.Snapshots, st.SnapshotIndex, st.SnapshotTerm = last.taken, last.index, last.term
	st.SnapshotRecords, st.SnapshotWritten, st.SnapshotDeleted = last.total, last.written, last.deleted
	st.SnapshotDuration = last.duration
	if f := s.snaps.current; f != nil {
		bolt := f.db.Stats()
		st.StateFreePages, st.StatePendingPages = bolt.FreePageN, bolt.PendingPageN
	}
	return st
}

// Space returns the figures about free space alone, which cost nothing.
func (s *Store) Space() Stats {
	return Stats{FreeBytes: s.space.free.Load(), ReserveBytes: s.space.reserve, DiskFull: s.space.full.Load()}
}

// sizeOf returns the size of a file or of all files in a directory. It returns 0 on an error.
func sizeOf(path string) int64 {
	var total int64
	_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		var info os.FileInfo
		if info, err = e.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}
