package store

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"
)

// roomInterval is how often the free space is looked at, unless this node itself writes a sixteenth of the reserve meanwhile.
const roomInterval = time.Second

// room watches the free space of the data directory's file system. A write that fails for lack of space ends the node, so changes are
// to be refused before: from the reserve on. What is left then is for what goes on: the entries of reads, elections, a snapshot.
type room struct {
	dir     string
	reserve uint64
	measure func(dir string) (uint64, error)
	logger  *slog.Logger

	written atomic.Uint64 // to the log, since the last look
	mu      sync.Mutex    // one look at a time

	free atomic.Uint64
	low  atomic.Bool
	stop chan struct{}
	done sync.WaitGroup
}

// FreeBytes returns the space of dir's file system that this process may use.
func FreeBytes(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * blockSize(&st), nil
}

func watchRoom(options Options) *room {
	r := &room{dir: options.Dir, reserve: options.ReserveBytes, measure: options.FreeBytes, logger: options.Logger, stop: make(chan struct{})}
	r.look()
	r.done.Go(r.run)
	return r
}

func (r *room) run() {
	ticker := time.NewTicker(roomInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.look()
		case <-r.stop:
			return
		}
	}
}

// wrote counts what was written to the log.
func (r *room) wrote(entries []*raft.Log) {
	size := 0
	for _, e := range entries {
		size += len(e.Data)
	}
	if r.reserve > 0 && r.written.Add(uint64(size)) > r.reserve/16 {
		r.look()
	}
}

// look measures. Some more than the reserve must be free again before changes are accepted, or they would come and go.
func (r *room) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written.Store(0)
	free, err := r.measure(r.dir)
	if err != nil {
		r.logger.Warn("the free space of the data directory is not known", "dir", r.dir, "error", err)
		return
	}
	r.free.Store(free)
	was := r.low.Load()
	enough := r.reserve
	if was {
		enough += r.reserve / 8
	}
	low := free < enough
	r.low.Store(low)
	if low && !was {
		r.logger.Error("the disk is nearly full: changes are refused, reads go on", "dir", r.dir, "free", free, "reserve", r.reserve)
	} else if was && !low {
		r.logger.Info("the disk has room again", "dir", r.dir, "free", free, "reserve", r.reserve)
	}
}

func (r *room) close() {
	close(r.stop)
	r.done.Wait()
}

// NoRoom returns nil while the disk has more than its reserve, else an error that says how much is left.
func (s *Store) NoRoom() error {
	if !s.room.low.Load() {
		return nil
	}
	return &Error{Kind: KindFull, Path: s.dir,
		Message: fmt.Sprintf("%d MiB are left on its disk, and %d MiB are held in reserve", s.room.free.Load()>>20, s.room.reserve>>20)}
}
