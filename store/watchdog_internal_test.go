package store

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Only the idle part of a call does not count. What it worked before and after adds up.
func TestWatchdog_CountsWorkAroundRests(t *testing.T) {
	d := newWatchdog(slog.New(slog.DiscardHandler), 16*time.Second, time.Hour, nil)
	defer d.close()
	pass := func(of time.Duration) { d.ticks.Add(uint32(of / d.interval)) }
	slot := d.begin(callSnapshotCommit, time.Minute)
	for range 3 {
		pass(time.Hour / 3)
		d.pause(slot, func() {
			pass(24 * time.Hour)
			require.Nil(t, d.stalled(time.Hour))
		})
		require.Nil(t, d.stalled(time.Hour))
	}
	pass(2 * d.interval)
	require.NotNil(t, d.stalled(time.Hour-time.Minute), "the extra time is as before")
	require.Nil(t, d.stalled(time.Hour))
	slot.end()
	require.Nil(t, d.stalled(0))
}
