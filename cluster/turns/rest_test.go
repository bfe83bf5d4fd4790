package turns

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Many short turns rest as long as a few long ones: while the machine is busy, they have the same part of the CPU.
func TestTurns_ShortRestsAddUp(t *testing.T) {
	ts := New(Config{Slots: 1, MaxWait: time.Minute})
	ts.pause, ts.probing = 4, true // no timer changes it
	for i := range 2 {
		turn, err := ts.Take(t.Context(), "a")
		require.NoError(t, err)
		ts.end(turn, minPause/10)
		require.Zero(t, ts.held, i)
		require.GreaterOrEqual(t, ts.owed, time.Duration(i+1)*minPause*4/10)
	}
	turn, err := ts.Take(t.Context(), "a")
	require.NoError(t, err)
	ts.end(turn, minPause/5)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	require.Equal(t, 1, ts.held, "it rests")
	require.Zero(t, ts.owed)
}

// Long work rests a multiple of what it took, a longer one while the machine has no CPU to spare. Short rests add up.
func TestPace_RestsForTheOthers(t *testing.T) {
	for pause, busy := range map[float64]float64{0: 0, 2: 2, maxPause: mostExtra} {
		ts := New(Config{Slots: 1})
		ts.pause, ts.probing = pause, true // no timer changes it
		p := ts.Pace(func() float64 { return PatientRest })
		worked := minPause / 100
		for owed := time.Duration(0); owed < minPause*3/4; owed += time.Duration(float64(worked) * (PatientRest + busy)) {
			began := time.Now()
			require.NoError(t, p.Rest(t.Context(), worked))
			require.Equal(t, time.Duration(float64(worked)*(PatientRest+busy)), p.owed-owed)
			require.Less(t, time.Since(began), time.Second)
		}
		began := time.Now()
		require.NoError(t, p.Rest(t.Context(), 10*minPause))
		require.GreaterOrEqual(t, time.Since(began), time.Duration(float64(10*minPause)*(PatientRest+busy)))
		require.Zero(t, p.owed)
	}
}

// A rest is bounded, and ends with its context.
func TestPace_EndsWithItsContext(t *testing.T) {
	ts := New(Config{Slots: 1})
	ts.probing = true
	p := ts.Pace(func() float64 { return 1e9 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.Rest(ctx, time.Hour), context.Canceled)
	p = ts.Pace(func() float64 { return LeastRest })
	p.began = time.Now().Add(-time.Hour)
	began := time.Now()
	require.NoError(t, p.Breathe(t.Context()))
	require.GreaterOrEqual(t, time.Since(began), longestPiece)
	require.Less(t, time.Since(p.began), time.Minute, "the next piece begins behind the rest")
}

// A slot rests for a bounded time: also a small request of somebody else waits for the end of the rest.
func TestTurns_RestIsBounded(t *testing.T) {
	ts := New(Config{Slots: 1, MaxWait: time.Minute})
	ts.pause, ts.probing = maxPause, true
	turn, err := ts.Take(t.Context(), "a")
	require.NoError(t, err)
	began := time.Now()
	ts.end(turn, longestRest)
	turn, err = ts.Take(t.Context(), "b")
	require.NoError(t, err)
	turn.End()
	require.Less(t, time.Since(began), 3*longestRest)
}

// One timer in fifty is late on a machine without CPU to spare, and hardly any on one that has some.
func TestTurns_LearnHowBusyTheMachineIs(t *testing.T) {
	for every, within := range map[int][2]float64{10: {12, maxPause}, 50: {3, maxPause}, 500: {0, 0.3}} {
		ts := New(Config{})
		sum, rounds := 0.0, 1000
		for i := range 2 * rounds {
			late := time.Duration(0)
			if i%every == 0 {
				late = lateTimer + 1
			}
			if ts.learnLocked(late); i >= rounds {
				sum += ts.pause
			}
		}
		require.GreaterOrEqual(t, sum/float64(rounds), within[0], "one in %d", every)
		require.LessOrEqual(t, sum/float64(rounds), within[1], "one in %d", every)
	}
}
