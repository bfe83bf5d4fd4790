// Package tally counts what a node refuses. A stranger can send as much of it as the network carries, so it must not fill the log.
package tally

import (
	"sync"
	"time"
)

// interval is the least time between two lines of log.
const interval = time.Minute

// Tally counts, and says when a line of log is due: for the first, and at most once a minute. The zero value is ready for use.
type Tally struct {
	mu     sync.Mutex
	total  uint64    // guarded by mu
	logged uint64    // guarded by mu: of them when the last line was due
	last   time.Time // guarded by mu: when that was
}

// Note counts one. since is 0, or how many were noted since the last line of log, when another is due.
func (t *Tally) Note(now time.Time) (since uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total++
	if t.logged > 0 && now.Sub(t.last) < interval {
		return 0
	}
	since = t.total - t.logged
	t.logged, t.last = t.total, now
	return since
}

// Total returns how many were noted.
func (t *Tally) Total() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}
