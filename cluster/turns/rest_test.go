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
		turn.Charge(minPause / 10)
		turn.End()
		require.Zero(t, ts.held, i)
		require.GreaterOrEqual(t, ts.owed, time.Duration(i+1)*minPause*4/10)
	}
	turn, err := ts.Take(t.Context(), "a")
	require.NoError(t, err)
	turn.Charge(minPause / 5)
	turn.End()
	ts.mu.Lock()
	defer ts.mu.Unlock()
	require.Equal(t, 1, ts.held, "it rests")
	require.Zero(t, ts.owed)
}
