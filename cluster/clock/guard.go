package clock

import (
	"slices"
	"sync"
	"time"
)

// slewDivisor bounds how fast the guarded time follows the wall clock: by a hundredth of the time that passed. Clocks that are
// disciplined from outside drift a thousand times less; a wall clock that stands still is a hundred times faster.
const slewDivisor = 100

// readGap is the longest that may pass while both clocks are read; beyond it they say nothing about each other.
const readGap = 20 * time.Millisecond

// Guard is one node's clock.
type Guard struct {
	wall      func() time.Time
	elapsed   func() time.Duration
	tolerance int64 // milliseconds

	mu      sync.Mutex
	base    int64         // guarded by mu: the guarded time at since
	since   time.Duration // guarded by mu: a reading of elapsed
	checked time.Duration // guarded by mu: when Check last ran
	stamp   int64         // guarded by mu: the largest one given
	status  Status        // guarded by mu
}

// Status is what the last Check found.
type Status struct {
	// WallOff: the wall clock jumped or stands still. Stamps do not follow it.
	WallOff bool
	// Far: the guarded time is not that of the peers. A node whose time is Far must not stamp anything.
	Far bool
	// Verified: peers were asked, and answered, at least once.
	Verified bool
	// Drift is the wall clock less the guarded time, Offset the peers' median less the guarded time.
	Drift, Offset time.Duration
}

// Fit reports that nothing is wrong.
func (v Status) Fit() bool { return !v.WallOff && !v.Far }

// New takes the wall clock as it is now. elapsed must only move forward, at the pace of real time, whatever happens to the wall clock.
func New(wall func() time.Time, elapsed func() time.Duration, tolerance time.Duration) *Guard {
	g := &Guard{wall: wall, elapsed: elapsed, tolerance: tolerance.Milliseconds()}
	g.since = elapsed()
	g.base = wall().UnixMilli()
	g.checked = g.since
	return g
}

// Now returns the guarded time.
func (g *Guard) Now() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.nowLocked(g.elapsed())
}

func (g *Guard) nowLocked(elapsed time.Duration) int64 {
	return g.base + (elapsed - g.since).Milliseconds()
}

// Stamp returns the guarded time, and never less than before.
func (g *Guard) Stamp() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stamp = max(g.stamp, g.nowLocked(g.elapsed()), 0)
	return g.stamp
}

// Status returns what the last Check found.
func (g *Guard) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.status
}

// Check compares the guarded time with the wall clock and with the peers' clocks, given as their distance from the guarded time. It
// is to be called about every second.
func (g *Guard) Check(peers []int64) Status {
	wall, elapsed, sound := g.read()
	g.mu.Lock()
	defer g.mu.Unlock()
	if sound {
		if step := g.followLocked(wall-g.nowLocked(elapsed), elapsed, peers); step != 0 {
			peers = slices.Clone(peers)
			for i := range peers {
				peers[i] -= step
			}
		}
	}
	// Alone against one peer, the one that is behind is believed: it does no harm that cannot be repaired.
	offset := lowerMedian(append(slices.Clone(peers), 0))
	g.status.Offset = millis(offset)
	g.status.Far = abs(offset) > g.tolerance
	g.status.Verified = g.status.Verified || len(peers) > 0
	return g.status
}

// followLocked lets the wall clock, which is drift ahead, correct the guarded time, and returns by how much that was stepped.
func (g *Guard) followLocked(drift int64, elapsed time.Duration, peers []int64) (step int64) {
	switch {
	case abs(drift) <= g.tolerance:
		most := (elapsed - g.checked).Milliseconds() / slewDivisor
		g.base += min(max(drift, -most), most)
		g.status.WallOff = false
	case len(peers) > 0 && abs(drift-lowerMedian(peers)) <= g.tolerance:
		// Both the wall clock and the peers say that the guarded time is wrong: the machine was asleep, or its clock was set right.
		step = drift
		g.base += drift
		g.status.WallOff = false
	default:
		g.status.WallOff = true
	}
	g.checked = elapsed
	g.status.Drift = millis(drift - step)
	return step
}

// read returns both clocks' readings of one moment, sound unless the machine was too busy to give them together.
func (g *Guard) read() (wall int64, elapsed time.Duration, sound bool) {
	for range 5 {
		before := g.elapsed()
		wall = g.wall().UnixMilli()
		elapsed = g.elapsed()
		if elapsed-before <= readGap {
			return wall, elapsed, true
		}
	}
	return 0, elapsed, false
}

// lowerMedian returns the middle value, the lower of two.
func lowerMedian(values []int64) int64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

func abs(v int64) int64 { return max(v, -v) }

// millis converts, and stops at what a Duration can hold: three centuries.
func millis(v int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(max(v, -most), most)) * time.Millisecond
}
