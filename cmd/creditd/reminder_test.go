package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A node that waits a day for a leader says so a few dozen times, and at once when the reason is another one.
func TestReminder_IsDueEverMoreRarely(t *testing.T) {
	var r reminder
	lines := 0
	for range 24 * time.Hour / waitLogInterval {
		if r.isDue("no leader") {
			lines++
		}
	}
	require.Equal(t, 32, lines)
	require.True(t, r.isDue("not caught up"))
	require.True(t, r.isDue("not caught up"))
	require.False(t, r.isDue("not caught up"))
	require.True(t, r.isDue("not caught up"))
}
