package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest latency that is told apart; longer ones count as this long.
const longest = 5 * time.Minute

// newLatencies returns an empty histogram of 32 KiB. Two significant figures keep every percentile within 1 %.
func newLatencies() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(longest), 2) }

// record counts one latency. A value in the range of the histogram is always accepted.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(int64(min(max(d, 0), longest)))
}

// latencyOf returns the figures of a report, in milliseconds.
func latencyOf(h *hdrhistogram.Histogram) Latency {
	at := func(percentile float64) float64 { return millis(h.ValueAtPercentile(percentile)) }
	return Latency{Mean: millis(int64(h.Mean())), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), P9999: at(99.99), Max: millis(h.Max())}
}

func millis(nanoseconds int64) float64 {
	return float64(time.Duration(nanoseconds).Microseconds()) / 1000
}
