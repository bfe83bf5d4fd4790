package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table of a window is bounded: addresses without room share a count. The next window begins anew.
func TestFailures_AreBoundedInMemory(t *testing.T) {
	f, _ := newFailures(Config{FailedAuthentications: 5})
	now := time.Unix(100, 0)
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255) }
	for i := range 2 * maxFailingAddresses {
		f.note(address(i), now)
	}
	require.LessOrEqual(t, len(f.counts), maxFailingAddresses+1)
	require.Zero(t, f.wait(address(0), now))
	require.Equal(t, failureWindow, f.wait(address(3*maxFailingAddresses), now), "it shares a count")
	now = now.Add(failureWindow)
	require.Zero(t, f.wait(address(3*maxFailingAddresses), now))
	f.note(address(0), now)
	require.Len(t, f.counts, 1)
	require.False(t, f.full.Load())
}
