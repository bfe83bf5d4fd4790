package books

// sums are the totals that subsets of some changes can have. With too many or too large changes only the range is
// kept, which may take an impossible total for a possible one, never the reverse.
type sums struct {
	low, high int64
	reachable []bool // by total - low; nil when only the range is known
}

const maxReachable = 1 << 20

func sumsOf(changes []int64) sums {
	var s sums
	for _, change := range changes {
		s.low += min(change, 0)
		s.high += max(change, 0)
	}
	if s.high-s.low >= maxReachable {
		return s
	}
	s.reachable = make([]bool, s.high-s.low+1)
	s.reachable[-s.low] = true
	for _, change := range changes {
		next := make([]bool, len(s.reachable))
		for i, yes := range s.reachable {
			if yes {
				next[i] = true
				next[i+int(change)] = true
			}
		}
		s.reachable = next
	}
	return s
}

func (s sums) contain(total int64) bool {
	if total < s.low || total > s.high {
		return false
	}
	return s.reachable == nil || s.reachable[total-s.low]
}
