package turns

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Many short turns rest as long as a few long ones: while the machine is busy, they have the same part of the CPU.
func TestTurns_ShortRestsAddUp(t *testing.T) {
	ts := New(Config{Slots: 1, MaxWait: time.Minute})
	ts.pause, ts.probing = maxPause, true // no timer changes it
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

// The node's own work has the same part of the CPU as a slot, and does not keep the node from stopping.
func TestTurns_TheNodesOwnWorkRests(t *testing.T) {
	ts := New(Config{Slots: 1})
	ts.probing = true
	ts.Rest(time.Hour, nil) // the machine has CPU to spare
	ts.pause = maxPause
	began := time.Now()
	ts.Rest(minPause, nil)
	require.GreaterOrEqual(t, time.Since(began), minPause*7/2)
	stop := make(chan struct{})
	close(stop)
	ts.mu.Lock()
	ts.pause = 1e9
	ts.mu.Unlock()
	ts.Rest(longestHeld, stop)
}

// One timer in five is late on a machine without CPU to spare, and hardly any on one that has some.
func TestTurns_LearnHowBusyTheMachineIs(t *testing.T) {
	for every, within := range map[int][2]float64{5: {3, maxPause}, 10: {1, maxPause}, 100: {0, 0.3}} {
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
