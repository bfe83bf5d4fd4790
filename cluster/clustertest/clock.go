package clustertest

import (
	"sync"
	"time"

	"github.com/creditd/creditd/cluster"
)

// Clock is a machine's time in the hands of a test. It goes on by itself.
type Clock struct {
	start time.Time // when the clock was made, in real time
	begin time.Time // what it showed then

	mu       sync.Mutex
	advanced time.Duration // guarded by mu: both clocks
	offset   time.Duration // guarded by mu: of the wall clock alone
	frozen   time.Time     // guarded by mu: zero unless the wall clock stands still
}

// NewClocks returns clocks that agree. They begin at noon, so that a test knows how far the next refill is.
func NewClocks(n int) []*Clock {
	clocks := make([]*Clock, n)
	start := time.Now()
	noon := start.UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	for i := range clocks {
		clocks[i] = &Clock{start: start, begin: noon}
	}
	return clocks
}

// NewClock returns one clock, for all nodes.
func NewClock() *Clock { return NewClocks(1)[0] }

// Set makes a node go by this clock.
func (c *Clock) Set(conf *cluster.Config) { conf.Now, conf.Elapsed = c.Now, c.Elapsed }

// EachItsOwn gives every place of a cluster a clock, in the order in which the places are first started.
func EachItsOwn(clocks []*Clock) func(*cluster.Config) {
	at := map[string]*Clock{}
	return func(conf *cluster.Config) {
		peer := conf.PeerListener.Addr().String()
		if at[peer] == nil {
			at[peer] = clocks[len(at)]
		}
		at[peer].Set(conf)
	}
}

// Now is the wall clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return c.nowLocked()
}

func (c *Clock) nowLocked() time.Time {
	return c.begin.Add(time.Since(c.start) + c.advanced + c.offset)
}

// Elapsed is how long the machine has been running.
func (c *Clock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.start) + c.advanced
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advanced += d
}

// Jump sets the wall clock d ahead of where it should be. Jump(0) sets it right.
func (c *Clock) Jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen = d, time.Time{}
}

// Freeze stops the wall clock.
func (c *Clock) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = c.nowLocked()
}
