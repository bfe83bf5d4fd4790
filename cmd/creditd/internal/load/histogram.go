package load

import (
	"math"
	"math/bits"
	"time"
)

const (
	subBits    = 7 // 128 steps per power of two: a value is off by less than 0.8 %
	subCount   = 1 << subBits
	maxValue   = 1<<38 - 1 // nanoseconds, about 4.5 minutes; longer latencies count as this long
	groupCount = 38 - subBits + 1
)

// histogram counts latencies in steps that grow with the value: fixed memory (32 KiB), fine resolution everywhere.
// It belongs to one goroutine.
type histogram struct {
	counts [groupCount * subCount]uint64
	total  uint64
	sum    int64
	max    int64
}

func (h *histogram) record(d time.Duration) {
	value := min(max(int64(d), 0), maxValue)
	h.counts[slotOf(value)]++
	h.total++
	h.sum += value
	h.max = max(h.max, value)
}

func (h *histogram) add(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.sum += other.sum
	h.max = max(h.max, other.max)
}

// quantile is the smallest recorded step at or below which the share q of all values lies; never above the maximum.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(uint64(math.Ceil(q*float64(h.total))), 1)
	var seen uint64
	for slot, n := range h.counts {
		if seen += n; seen >= rank && n > 0 {
			return time.Duration(min(highestOf(slot), h.max))
		}
	}
	return 0
}

func (h *histogram) mean() time.Duration {
	if h.total == 0 {
		return 0
	}
	return time.Duration(h.sum / int64(h.total))
}

// slotOf keeps the leading bit and the subBits after it. Group 0 holds the values below subCount, one step each.
func slotOf(value int64) int {
	group := bits.Len64(uint64(value) >> subBits)
	if group == 0 {
		return int(value)
	}
	return group*subCount + int(value>>(group-1)) - subCount
}

// highestOf is the largest value of a slot.
func highestOf(slot int) int64 {
	group, step := slot/subCount, int64(slot%subCount)
	if group == 0 {
		return step
	}
	return (subCount+step+1)<<(group-1) - 1
}
