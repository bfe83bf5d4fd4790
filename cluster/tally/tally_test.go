package tally

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTally_IsLoggedEverMoreRarely(t *testing.T) {
	var tally Tally
	now := time.Unix(1, 0)
	var lines []time.Duration // when a line was due
	for second := range 3600 {
		if tally.Note(now.Add(time.Duration(second)*time.Second)) > 0 {
			lines = append(lines, time.Duration(second)*time.Second)
		}
	}
	require.Equal(t, []time.Duration{0, interval, 3 * interval, 7 * interval, 15 * interval, 31 * interval, 47 * interval}, lines)
	require.EqualValues(t, 3600, tally.Total())
	require.Zero(t, tally.Note(now.Add(time.Hour)))

	now = now.Add(time.Hour + 2*interval) // what comes after a pause is news
	require.EqualValues(t, 3602-47*60-1, tally.Note(now))
	require.Zero(t, tally.Note(now.Add(interval-1)))
	require.EqualValues(t, 2, tally.Note(now.Add(interval)))
}

// A single one after a pause is always logged, and the total tells all.
func TestTally_LogsWhatIsRare(t *testing.T) {
	var tally Tally
	for i := range 10 {
		require.EqualValues(t, 1, tally.Note(time.Unix(1, 0).Add(time.Duration(i)*2*interval)))
	}
	require.EqualValues(t, 10, tally.Total())
}
