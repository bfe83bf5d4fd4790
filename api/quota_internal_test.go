package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A window begins with a request and lasts a second. Workspaces do not meet.
func TestRequestQuotas_Take(t *testing.T) {
	var q requestQuotas
	start := time.Now()
	take := func(workspace string, after time.Duration) (int64, time.Duration, bool) {
		return q.take(workspace, 2, start.Add(after))
	}
	for _, step := range []struct {
		workspace string
		after     time.Duration
		remaining int64
		reset     time.Duration
		ok        bool
	}{
		{"a", 0, 1, time.Second, true},
		{"a", 300 * time.Millisecond, 0, 700 * time.Millisecond, true},
		{"a", 999 * time.Millisecond, 0, time.Millisecond, false},
		{"b", 999 * time.Millisecond, 1, time.Second, true},
		{"a", time.Second, 1, time.Second, true},
		{"a", 5 * time.Second, 1, time.Second, true},
		{"a", 5 * time.Second, 0, time.Second, true},
		{"a", 5 * time.Second, 0, time.Second, false},
	} {
		remaining, reset, ok := take(step.workspace, step.after)
		require.Equal(t, step.ok, ok, "%+v", step)
		require.Equal(t, step.remaining, remaining, "%+v", step)
		require.Equal(t, step.reset, reset, "%+v", step)
	}
	remaining, _, ok := q.take("a", 1, start.Add(5*time.Second)) // it was lowered meanwhile
	require.False(t, ok)
	require.Zero(t, remaining)
}
