package batch

const (
	// maxSpare is how many arrays are kept: two of an entry under way, and one that gathered what is in lanes now.
	maxSpare = 3
	// maxSpareRequests is the largest array that is kept: it holds the requests of a full entry.
	maxSpareRequests = 4096
)

// spare keeps arrays of requests that were answered, for those that arrive. Without it, they were a seventh of the garbage of a charge.
type spare struct{ arrays [][]queued }

// keep takes an array that nobody uses any more.
func (s *spare) keep(requests []queued) {
	if cap(requests) == 0 || cap(requests) > maxSpareRequests || len(s.arrays) == maxSpare {
		return
	}
	clear(requests)
	s.arrays = append(s.arrays, requests[:0])
}

// take returns an empty array, or nil.
func (s *spare) take() []queued {
	last := len(s.arrays) - 1
	if last < 0 {
		return nil
	}
	taken := s.arrays[last]
	s.arrays = s.arrays[:last]
	return taken
}
