package tally

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTally_IsLoggedOnceAMinute(t *testing.T) {
	var tally Tally
	start := time.Unix(1, 0)
	require.EqualValues(t, 1, tally.Note(start))
	for i := range 1000 {
		require.Zero(t, tally.Note(start.Add(time.Duration(i)*interval/1000)))
	}
	require.EqualValues(t, 1001, tally.Note(start.Add(interval)))
	require.Zero(t, tally.Note(start.Add(interval)))
	require.EqualValues(t, 1003, tally.Total())
}
