package turns

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Root keys of one workspace are no neighbours, however many there are; those of two are, for a while.
func TestNeighbours_AreWorkspaces(t *testing.T) {
	asked := 0
	n := NewNeighbours(func(actor Actor) string {
		asked++
		return map[byte]string{'a': "ws_a", 'b': "ws_b"}[actor[0]]
	})
	for i := range 2 * maxActors {
		n.see(Actor{'a', byte(i)}, 0)
		n.see(Actor{'x', byte(i)}, 0) // a stranger
	}
	require.False(t, n.Shared())
	asked = 0
	n.see(Actor{'a'}, time.Millisecond)
	require.Zero(t, asked, "who was seen is not looked up again")

	n.SeeAll(slices.Values([]Actor{{'a'}, {'b'}}))
	require.True(t, n.Shared())
	asked = 0
	n.see(Actor{'b', 1}, time.Millisecond)
	require.Zero(t, asked, "several is enough to know")

	n.origin = n.origin.Add(-2 * sharedTime) // time passes
	require.False(t, n.Shared())
	n.See(Actor{'b'})
	require.False(t, n.Shared(), "alone again")
	n.See(Actor{'a'})
	require.True(t, n.Shared())
}

// A slot rests for the sake of neighbours. Without them the one workspace may use all of the CPU.
func TestTurns_RestForNeighboursOnly(t *testing.T) {
	for _, shared := range []bool{false, true} {
		ts := New(Config{Slots: 1, MaxWait: time.Minute, Shared: func() bool { return shared }})
		ts.pause, ts.probing = maxPause, true // no timer changes it
		turn, err := ts.Take(t.Context(), "a")
		require.NoError(t, err)
		turn.Charge(10 * minPause)
		turn.End()
		ts.mu.Lock()
		require.Equal(t, shared, ts.held == 1, "it rests")
		ts.mu.Unlock()
	}
}
