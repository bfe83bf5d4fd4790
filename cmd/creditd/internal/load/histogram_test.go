package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A percentile is only worth printing if its error is bounded at every scale.
func TestHistogram_QuantilesStayWithinOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var values []int64
	for range 200_000 {
		value := int64(1) << random.IntN(37)
		value += random.Int64N(value)
		values = append(values, value)
		h.record(time.Duration(value))
	}
	slices.Sort(values)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1} {
		exact := values[max(int(q*float64(len(values)))-1, 0)]
		require.InEpsilon(t, exact, int64(h.quantile(q)), 0.01, "quantile %v", q)
	}
	require.Equal(t, values[len(values)-1], int64(h.quantile(1)))
}

func TestHistogram_SlotsAreContiguousAndOrdered(t *testing.T) {
	next := int64(0)
	for slot := range groupCount * subCount {
		require.Equal(t, slot, slotOf(next), "first value of slot %d", slot)
		require.Equal(t, slot, slotOf(highestOf(slot)), "last value of slot %d", slot)
		next = highestOf(slot) + 1
	}
	require.Equal(t, int64(maxValue)+1, next)
}

func TestHistogram_KeepsWhatDoesNotFit(t *testing.T) {
	var h histogram
	h.record(-time.Second)
	h.record(time.Hour)
	require.Equal(t, uint64(2), h.total)
	require.Equal(t, time.Duration(maxValue), h.quantile(1))
	require.Zero(t, (&histogram{}).quantile(0.5))
}
