package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clock"
)

// bench is a machine whose two clocks a test moves.
type bench struct {
	wall    time.Time
	elapsed time.Duration
	guard   *clock.Guard
}

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newBench() *bench {
	b := &bench{wall: begin}
	b.guard = clock.New(func() time.Time { return b.wall }, func() time.Duration { return b.elapsed }, time.Second)
	return b
}

// pass lets real time pass, with a check a second.
func (b *bench) pass(d time.Duration, peers ...int64) {
	for range d / time.Second {
		b.wall = b.wall.Add(time.Second)
		b.elapsed += time.Second
		b.guard.Check(peers)
	}
}

// late returns how far the guarded time is behind real time.
func (b *bench) late() time.Duration {
	return time.Duration(begin.Add(b.elapsed).UnixMilli()-b.guard.Now()) * time.Millisecond
}

// Whatever the wall clock does, the stamps go on at the pace of real time, and the node says that something is wrong.
func TestGuard_StampsDoNotFollowAJump(t *testing.T) {
	for name, jump := range map[string]time.Duration{
		"an hour ahead": time.Hour, "a year ahead": 365 * 24 * time.Hour, "an hour back": -time.Hour, "a decade back": -87600 * time.Hour,
		"two centuries ahead": 200 * 8766 * time.Hour,
	} {
		b := newBench()
		b.pass(time.Minute)
		require.True(t, b.guard.Status().Fit())
		b.wall = b.wall.Add(jump)
		require.Equal(t, begin.Add(time.Minute).UnixMilli(), b.guard.Stamp(), "%s, before anything could be checked", name)
		b.pass(time.Hour)
		require.Equal(t, begin.Add(time.Minute+time.Hour).UnixMilli(), b.guard.Stamp(), name)
		v := b.guard.Status()
		require.True(t, v.WallOff, name)
		require.False(t, v.Far, name)
		require.Equal(t, jump, v.Drift, name)

		b.wall = b.wall.Add(-jump)
		b.pass(time.Second)
		require.True(t, b.guard.Status().Fit(), "%s, and set right again", name)
		require.Zero(t, b.late(), name)
	}
}

// Windows must end and refills fall due while the wall clock stands still.
func TestGuard_TimeGoesOnWhileTheWallClockIsFrozen(t *testing.T) {
	b := newBench()
	for range 3600 {
		b.elapsed += time.Second
		b.guard.Check(nil)
	}
	require.True(t, b.guard.Status().WallOff)
	require.Less(t, b.late(), 50*time.Millisecond)
}

// A clock that is off by less than the tolerance is followed, slowly, and stamps never go back.
func TestGuard_FollowsSmallCorrections(t *testing.T) {
	for _, shift := range []time.Duration{900 * time.Millisecond, -900 * time.Millisecond} {
		b := newBench()
		b.wall = b.wall.Add(shift)
		last := b.guard.Stamp()
		for range 100 {
			b.pass(time.Second)
			stamp := b.guard.Stamp()
			require.InDelta(t, 1000, stamp-last, 10)
			last = stamp
		}
		require.Equal(t, -shift, b.late())
		require.True(t, b.guard.Status().Fit())
	}
}

// Readings that a busy machine delayed say nothing.
func TestGuard_IgnoresReadingsThatDoNotBelongTogether(t *testing.T) {
	elapsed := time.Duration(0)
	g := clock.New(func() time.Time { return begin.Add(elapsed + time.Hour) }, func() time.Duration { elapsed += time.Second; return elapsed }, time.Second)
	require.False(t, g.Check(nil).WallOff)
}

func TestGuard_IsFarWhenTheMajorityDisagrees(t *testing.T) {
	const hour = 3_600_000
	for _, test := range []struct {
		name  string
		peers []int64
		far   bool
	}{
		{"alone", nil, false},
		{"with both", []int64{10, -20}, false},
		{"with one of two", []int64{hour, 3}, false},
		{"against both", []int64{hour, hour + 5}, true},
		{"against both, behind", []int64{-hour, -hour + 5}, true},
		{"against one that is ahead", []int64{hour}, false},
		{"against one that is behind", []int64{-hour}, true},
		{"three opinions, in the middle", []int64{hour, -hour}, false},
		{"three opinions, ahead of all", []int64{-hour, -2 * hour}, true},
		{"two against three", []int64{3, hour, hour, hour}, true},
		{"three against two", []int64{3, 4, hour, hour}, false},
	} {
		b := newBench()
		b.pass(time.Second, test.peers...)
		v := b.guard.Status()
		require.Equal(t, test.far, v.Far, test.name)
		require.Equal(t, len(test.peers) > 0, v.Verified, test.name)
		require.Equal(t, !test.far, v.Fit())
	}
}

// A node that started with a wrong clock, or slept, adopts the time only after its clock is right and its peers confirm it.
func TestGuard_TakesOverATimeThatPeersConfirm(t *testing.T) {
	const hour = 3_600_000
	b := newBench()
	b.pass(3*time.Second, hour, hour-40)
	require.True(t, b.guard.Status().Far)
	b.wall = b.wall.Add(time.Hour)
	b.pass(time.Second, hour, hour-40)
	v := b.guard.Status()
	require.True(t, v.Fit())
	require.InDelta(t, begin.Add(time.Hour+4*time.Second).UnixMilli(), b.guard.Stamp(), 1)

	b.wall = b.wall.Add(time.Hour)
	b.pass(time.Second, 0, 40)
	require.True(t, b.guard.Status().WallOff)
	b.pass(time.Second)
	require.True(t, b.guard.Status().WallOff)
}
