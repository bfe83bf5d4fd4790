package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"golang.org/x/sys/unix"
)

// spaceInterval is how often the free space is measured. After writing a sixteenth of the reserve the node measures at once.
const spaceInterval = time.Second

// spaceMonitor compares the free space of the data directory's file system with the reserve. A write that fails for lack of space stops
// the node, so changes are refused earlier. The reserve is for what continues: entries of reads, elections, snapshots.
type spaceMonitor struct {
	dir       string
	reserve   uint64
	freeBytes func(dir string) (uint64, error)
	logger    *slog.Logger

	// reusable returns how much space of the log's file the next entries can use; nil: none. boltdb gives nothing back to the disk.
	reusable atomic.Pointer[func() uint64]

	written atomic.Uint64 // to the log since the last measurement
	mu      sync.Mutex    // held while measuring
	blind   bool          // guarded by mu: the last measurement failed

	free atomic.Uint64
	full atomic.Bool
	stop chan struct{}
	done sync.WaitGroup
}

// leastReserve is the smallest reserve that keeps its promise. raft-wal allocates a whole segment when the last one is full, so one must
// fit when the node notices that the reserve is reached, and one more that the node fills with reads and elections.
func (k LogKind) leastReserve() uint64 {
	if k == LogWAL {
		return 2 * segmentBytes
	}
	return 0
}

// checkReserve refuses a reserve that is too small for the log of the directory, before anything is written.
func checkReserve(options Options) error {
	if options.ReserveBytes == 0 {
		return nil
	}
	kind := options.LogStore
	if id, err := loadIdentity(options.Dir, options.Reads); err != nil {
		return err
	} else if id != nil {
		kind = id.LogKind
	} else if kind == "" {
		kind = DefaultLog
	}
	least := kind.leastReserve()
	if options.ReserveBytes >= least {
		return nil
	}
	return &Error{Kind: KindInvalid, Path: options.Dir, Message: fmt.Sprintf(
		"the disk reserve is %s, and with a %s log at least %d MiB are needed: room for two segments of %d MiB; 0 turns the reserve off",
		sizeText(options.ReserveBytes), kind, least>>20, least>>21)}
}

// sizeText writes a number of bytes as people give it.
func sizeText(bytes uint64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// segmentError explains a log write that failed because there is no new segment. Other errors stay as they are.
func (m *spaceMonitor) segmentError(path string, failed error) error {
	if !errors.Is(failed, wal.ErrSealed) {
		return failed
	}
	if lacksDescriptors(failed) {
		return ioError(path, "making the next segment of the log", failed)
	}
	free, err := m.freeBytes(m.dir)
	if err != nil || free >= segmentBytes {
		return &Error{Kind: KindFailed, Path: path, Err: failed, Message: "the next segment of the log could not be made"}
	}
	return &Error{Kind: KindFull, Path: path, Err: failed, Message: fmt.Sprintf(
		"the disk is full: the next segment of the log needs %d MiB, and %d MiB are free; %s", segmentBytes>>20, free>>20, freeSpace)}
}

// FreeBytes returns the space of dir's file system that this process may use.
func FreeBytes(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * blockSize(&st), nil
}

func monitorSpace(options Options) *spaceMonitor {
	m := &spaceMonitor{
		dir: options.Dir, reserve: options.ReserveBytes, freeBytes: options.FreeBytes, logger: options.Logger, stop: make(chan struct{}),
	}
	m.measure()
	m.done.Go(m.run)
	return m
}

func (m *spaceMonitor) run() {
	ticker := time.NewTicker(spaceInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.measure()
		case <-m.stop:
			return
		}
	}
}

// wrote counts the bytes of entries that were written to the log.
func (m *spaceMonitor) wrote(entries []*raft.Log) {
	size := 0
	for _, e := range entries {
		size += len(e.Data)
	}
	if m.reserve > 0 && m.written.Add(uint64(size)) > m.reserve/16 {
		m.measure()
	}
}

// measure updates the state. The disk counts as full until an eighth more than the reserve is free, so that the state does not flap.
func (m *spaceMonitor) measure() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written.Store(0)
	free, err := m.freeBytes(m.dir)
	if err != nil {
		if !m.blind {
			m.logger.Warn("the free space of the data directory could not be measured", "dir", m.dir, "error", err)
		}
		m.blind = true
		return
	}
	m.blind = false
	m.free.Store(free)
	usable := free
	if reusable := m.reusable.Load(); reusable != nil && free >= m.reserve/2 { // below it, the file may have no room for a large entry
		usable += (*reusable)()
	}
	was := m.full.Load()
	enough := m.reserve
	if was {
		enough += m.reserve / 8
	}
	full := usable < enough
	m.full.Store(full)
	if full && !was {
		m.logger.Error("the disk is nearly full: changes are refused, reads continue", "dir", m.dir, "free", free, "reserve", m.reserve)
	} else if was && !full {
		m.logger.Info("the disk has free space again", "dir", m.dir, "free", free, "reserve", m.reserve)
	}
}

func (m *spaceMonitor) close() {
	close(m.stop)
	m.done.Wait()
}

// DiskFull returns nil while more than the reserve is free. Otherwise it returns an error that says how much is left.
func (s *Store) DiskFull() error {
	if !s.space.full.Load() {
		return nil
	}
	return &Error{Kind: KindFull, Path: s.dir,
		Message: fmt.Sprintf("%d MiB are left on its disk, and %d MiB are held in reserve", s.space.free.Load()>>20, s.space.reserve>>20)}
}
