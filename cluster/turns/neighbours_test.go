package turns

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Root keys of one workspace are no neighbours, however many there are; those of two are, for a while.
func TestNeighbours_AreWorkspaces(t *testing.T) {
	asked := 0
	n := NewNeighbours(func(actor fsm.Hash) string {
		asked++
		return map[byte]string{'a': "ws_a", 'b': "ws_b"}[actor[0]]
	})
	for i := range 2 * maxActors {
		n.see(fsm.Hash{'a', byte(i)}, 0)
		n.see(fsm.Hash{'x', byte(i)}, 0) // a stranger
	}
	require.False(t, n.Shared())
	asked = 0
	n.see(fsm.Hash{'a'}, time.Millisecond)
	require.Zero(t, asked, "who was seen is not looked up again")

	n.SeeAll([]fsm.Call{{Actor: fsm.Hash{'a'}}, {Actor: fsm.Hash{'b'}}})
	require.True(t, n.Shared())
	asked = 0
	n.see(fsm.Hash{'b', 1}, time.Millisecond)
	require.Zero(t, asked, "several is enough to know")

	n.origin = n.origin.Add(-2 * sharedTime) // time passes
	require.False(t, n.Shared())
	n.See(fsm.Hash{'b'})
	require.False(t, n.Shared(), "alone again")
	n.See(fsm.Hash{'a'})
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
