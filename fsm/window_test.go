package fsm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// spend verifies a key with one ad-hoc rate limit.
func spend(t testing.TB, s *fsm.State, name byte, limit, duration, cost int64) fsm.RatelimitState {
	t.Helper()
	v := apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{name}, Ratelimits: []fsm.RatelimitCheck{
		{Name: "requests", Cost: cost, AdHoc: true, Limit: limit, Duration: duration},
	}}).(*fsm.Verdict)
	require.Equal(t, v.Ratelimits[0].Exceeded, v.Code == fsm.RateLimited)
	return v.Ratelimits[0]
}

// The formula of contract 2.6, step by step: the share of the previous window is rounded down.
func TestWindow_Slides(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	for _, step := range []struct {
		at        string
		cost      int64
		exceeded  bool
		remaining int64
	}{
		{"2025-01-01 00:00:00.000", 7, false, 3},
		{"2025-01-01 00:00:59.999", 4, true, 0},
		{"2025-01-01 00:01:00.000", 4, true, 0},  // all 7 still count
		{"2025-01-01 00:01:00.000", 3, false, 0}, // 3 + 7
		{"2025-01-01 00:01:00.000", 1, true, 0},
		{"2025-01-01 00:01:00.001", 1, false, 0}, // 3 + floor(6.9998…) + 1
		{"2025-01-01 00:01:08.571", 1, true, 0},  // 4 + floor(6.0000…) + 1
		{"2025-01-01 00:01:08.572", 1, false, 0}, // 4 + floor(5.9999…) + 1
		{"2025-01-01 00:01:59.999", 5, false, 0}, // 5 + floor(0.0001…) + 5
		{"2025-01-01 00:02:00.000", 0, false, 0}, // the 10 of the window before
		{"2025-01-01 00:02:30.000", 0, false, 5},
		{"2025-01-01 00:03:00.000", 10, false, 0},
	} {
		advance(t, s, step.at)
		got := spend(t, s, 'a', 10, 60_000, step.cost)
		require.Equal(t, step.exceeded, got.Exceeded, "%+v", step)
		require.Equal(t, step.remaining, got.Remaining, "%+v", step)
		require.Equal(t, s.Clock()-s.Clock()%60_000+60_000, got.Reset)
	}
}

// The largest numbers there are do not overflow.
func TestWindow_TakesTheLargestNumbers(t *testing.T) {
	s := newLedgerOf(t, fsmtest.SecondRules) // later, such durations do not count
	newKey(t, s, 'a', "", fsm.NewCredits{})
	advance(t, s, "2025-01-01")
	require.EqualValues(t, 0, spend(t, s, 'a', math.MaxInt64, 1000, math.MaxInt64).Remaining)
	require.True(t, spend(t, s, 'a', math.MaxInt64, 1000, math.MaxInt64).Exceeded)
	advance(t, s, "2025-01-01 00:00:01.500")
	require.False(t, spend(t, s, 'a', math.MaxInt64, 1000, math.MaxInt64/2).Exceeded)
	require.True(t, spend(t, s, 'a', math.MaxInt64, 1000, math.MaxInt64).Exceeded)
	for _, duration := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 / 2} {
		require.Greater(t, spend(t, s, 'a', 1, duration, 1).Reset, s.Clock())
		require.True(t, spend(t, s, 'a', 1, duration, 1).Exceeded)
	}
}

// fill gives each of n keys a window of its own in one entry.
func fill(t testing.TB, s *fsm.State, n int) {
	t.Helper()
	b := fsm.Batch{Stamp: s.Clock()}
	for i := range n {
		b.Calls = append(b.Calls, fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: []fsm.RatelimitCheck{
			{Name: fmt.Sprint("limit ", i), Cost: 1, AdHoc: true, Limit: 1, Duration: 1000},
		}}})
	}
	for _, r := range s.Apply(b) {
		require.Equal(t, fsm.Valid, r.(*fsm.Verdict).Code)
	}
}

// Windows that cannot matter any more go, a few with each entry, and are gone from the next snapshot as well.
func TestWindow_Expires(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	advance(t, s, "2025-01-01")
	verify(t, s, 'a', 1) // dates the key
	empty := s.Digest()
	fill(t, s, 1000)
	require.Equal(t, 1000, s.Stats().RatelimitWindows)
	saved := s.Freeze()
	require.Len(t, take(saved), saved.Len)
	saved.Release(true)

	advance(t, s, "2025-01-01 00:00:01.999")
	require.Equal(t, 1000, s.Stats().RatelimitWindows, "each is still the previous window of something")
	advance(t, s, "2025-01-01 00:00:02.000")
	left := s.Stats().RatelimitWindows
	require.Less(t, left, 1000)
	require.Greater(t, left, 800, "an entry does not stop for all of them")
	advance(t, s, "2025-01-01 00:00:02.000")
	require.Equal(t, left, s.Stats().RatelimitWindows, "an entry that changes nothing changes nothing")
	for at := s.Clock() + 1; s.Stats().RatelimitWindows > 0; at++ {
		s.Apply(fsm.Batch{Stamp: at})
	}
	require.Equal(t, empty, s.Digest())
	gone := s.Freeze()
	changes := take(gone)
	require.Len(t, changes, 1001)
	for key, record := range changes {
		require.True(t, record == nil || key == metaKey)
	}
	gone.Release(true)
}

// New windows push expired ones out: keys that come and go with their windows do not add up.
func TestWindow_StaysBounded(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	for second := range 50 {
		s.Apply(fsm.Batch{Stamp: at(t, "2025-01-01") + int64(second)*2000})
		b := fsm.Batch{Stamp: s.Clock()}
		for i := range 500 {
			b.Calls = append(b.Calls, fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: []fsm.RatelimitCheck{
				{Name: fmt.Sprint(second, " ", i), Cost: 1, AdHoc: true, Limit: 1, Duration: 1000},
			}}})
		}
		s.Apply(b)
		require.LessOrEqual(t, s.Stats().RatelimitWindows, 1000)
	}
}

// A window that was dropped and comes back is one change in a snapshot, whether or not the disk knew it.
func TestWindow_ComesBackUnderItsName(t *testing.T) {
	for _, between := range []func(*fsm.State){
		func(*fsm.State) {},
		func(s *fsm.State) { f := s.Freeze(); f.Release(false) },
		func(s *fsm.State) { f := s.Freeze(); take(f); f.Release(true) },
	} {
		s := newLedger(t)
		newKey(t, s, 'a', "", fsm.NewCredits{})
		advance(t, s, "2025-01-01")
		spend(t, s, 'a', 5, 1000, 3)
		between(s)
		for range 3 {
			s.Apply(fsm.Batch{Stamp: s.Clock() + 10_000})
			require.Zero(t, s.Stats().RatelimitWindows)
			between(s)
			require.EqualValues(t, 4, spend(t, s, 'a', 5, 1000, 1).Remaining)
		}
		f := s.Freeze()
		windows := 0
		for !f.Done() {
			for _, c := range f.Next(3, nil) {
				if c.Name().Kind == fsm.WindowKind {
					windows++
					require.EqualValues(t, 1, c.Record.(*fsm.WindowRecord).Current)
				}
			}
		}
		require.Equal(t, 1, windows)
	}
}

// A node that installed a snapshot drops the same windows with the same entry as a node that did not. Digests are compared at equal
// indexes.
func TestWindow_GoesEverywhereAtOnce(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	advance(t, s, "2025-01-01")
	fill(t, s, 700)
	advance(t, s, "2025-01-01 00:00:01.000")
	for i := range 100 { // some move back in the order
		apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: []fsm.RatelimitCheck{
			{Name: fmt.Sprint("limit ", i*7), Cost: 1, AdHoc: true, Limit: 2, Duration: 1000},
		}})
	}
	restored := restored(t, s)
	for n := range int64(20) {
		b := fsm.Batch{Stamp: s.Clock() + 150*(n%10)}
		s.Apply(b)
		restored.Apply(b)
		require.Equal(t, s.Digest(), restored.Digest())
		require.Equal(t, s.Stats().RatelimitWindows, restored.Stats().RatelimitWindows)
	}
	require.Zero(t, s.Stats().RatelimitWindows)
}

// A plain verification is written as before, and rate limits cost only those who have them.
func TestWindow_PlainVerificationsStayShort(t *testing.T) {
	size := func(c fsm.Command) int {
		return len(codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{{Command: c}}}))
	}
	require.Equal(t, size(&fsm.DeleteIdentity{})-1+32+1, size(&fsm.VerifyKey{Cost: 1}))
}
