package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A workspace that exports without a pause gets at most a quarter of the time, whatever its exports take. Others never wait for it.
func TestExportRests_BoundTheShareOfAWorkspace(t *testing.T) {
	for _, took := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour} {
		var r exportRests
		began := time.Unix(0, 0)
		now, used := began, time.Duration(0)
		for n := range 100_000 {
			left := r.wait("ws_1", now)
			if n == 0 {
				require.Zero(t, left, "a first export never waits")
			}
			now = now.Add(left + took)
			r.note("ws_1", took, now)
			if used += took; used > 100*took && used > 10*exportCredit {
				break
			}
			require.Zero(t, r.wait("ws_2", now))
		}
		require.LessOrEqual(t, exportCost*used, now.Sub(began)+exportCredit+exportCost*took, "%v", took)
	}
}

// Short exports may follow each other, as a person's do.
func TestExportRests_GiveSomeTimeAhead(t *testing.T) {
	var r exportRests
	now := time.Unix(0, 0)
	for range 10 {
		require.NoError(t, r.mayExport("ws_1", now))
		r.note("ws_1", 250*time.Millisecond, now)
	}
	r.note("ws_1", 250*time.Millisecond, now)
	var refusal *problem
	require.ErrorAs(t, r.mayExport("ws_1", now), &refusal)
	require.EqualValues(t, 1, refusal.retryAfter)
	require.NoError(t, r.mayExport("ws_1", now.Add(time.Second)))
}

// The memory is bounded, and forgets who owes nothing first, then who owes least.
func TestExportRests_ForgetWhoOwesLeast(t *testing.T) {
	var r exportRests
	now := time.Unix(0, 0)
	r.note("ws_paid", time.Second, now.Add(-time.Hour))
	for n := range maxOwing + 10 {
		r.note(fmt.Sprint("ws_", n), time.Duration(n+10)*time.Second, now)
	}
	require.Len(t, r.until, maxOwing)
	require.NotContains(t, r.until, "ws_paid")
	require.Zero(t, r.wait("ws_9", now))
	require.NotZero(t, r.wait("ws_10", now))
}
