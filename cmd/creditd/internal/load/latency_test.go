package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A percentile is only worth printing if its error is bounded at every scale, also after the workers' figures are added.
func TestLatencies_StayWithinOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sum, part := newLatencies(), newLatencies()
	var values []int64
	for i := range 200_000 {
		value := int64(time.Millisecond) << random.IntN(18)
		value += random.Int64N(value)
		values = append(values, value)
		if i%2 == 0 {
			record(sum, time.Duration(value))
		} else {
			record(part, time.Duration(value))
		}
	}
	require.Zero(t, sum.Merge(part))
	slices.Sort(values)
	got := latencyOf(sum)
	for share, have := range map[float64]float64{0.5: got.P50, 0.9: got.P90, 0.99: got.P99, 0.999: got.P999, 0.9999: got.P9999, 1: got.Max} {
		exact := values[int(share*float64(len(values)))-1]
		require.InEpsilon(t, millis(min(exact, int64(longest))), have, 0.01, "share %v", share)
	}
}

func TestLatencies_KeepWhatDoesNotFit(t *testing.T) {
	h := newLatencies()
	record(h, -time.Second)
	record(h, time.Hour)
	require.EqualValues(t, 2, h.TotalCount())
	require.InEpsilon(t, millis(int64(longest)), latencyOf(h).Max, 0.01)
	require.Zero(t, latencyOf(newLatencies()))
}
