// Package tally counts what a node refuses. A stranger can send as much of it as the network carries, so it must not fill the log.
package tally

import (
	"sync"
	"time"
)

// The least time between two lines of log. It doubles while they are due without a pause, so that a stranger who never ends costs few.
const (
	interval = time.Minute
	longest  = 16 * time.Minute
)

// Tally counts, and says when a line of log is due: for the first, a minute later, and then ever more rarely. The zero value is ready for use.
type Tally struct {
	mu     sync.Mutex
	total  uint64        // guarded by mu
	logged uint64        // guarded by mu: of them when the last line was due
	last   time.Time     // guarded by mu: when that was
	noted  time.Time     // guarded by mu: when the last one was noted
	wait   time.Duration // guarded by mu: from last to the next line
}

// Note counts one. since is 0, or how many were noted since the last line of log, when another is due.
func (t *Tally) Note(now time.Time) (since uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total++
	paused := now.Sub(t.noted) >= 2*interval
	t.noted = now
	if t.logged > 0 && now.Sub(t.last) < t.wait && !paused {
		return 0
	}
	if t.wait = min(2*t.wait, longest); paused || t.wait == 0 {
		t.wait = interval
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
