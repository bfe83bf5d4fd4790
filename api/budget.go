package api

import (
	"sync"

	"github.com/creditd/creditd/fsm"
)

// budget bounds the bytes that all requests of one kind hold. One caller gets at most half of what the others leave, so that nobody alone
// can use it up.
type budget struct {
	limit int64

	mu   sync.Mutex
	used int64
	by   map[fsm.Hash]int64
}

func newBudget(limit int64) *budget { return &budget{limit: limit, by: map[fsm.Hash]int64{}} }

// take takes bytes for a caller, unless that would exceed the caller's share.
func (b *budget) take(caller fsm.Hash, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine := b.by[caller]
	if others := b.used - mine; 2*(mine+n) > b.limit-others {
		return false
	}
	b.add(caller, n)
	return true
}

// owe takes bytes that cannot be refused any more. Until they are given back, others get less.
func (b *budget) owe(caller fsm.Hash, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(caller, n)
}

// give gives bytes back.
func (b *budget) give(caller fsm.Hash, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(caller, -n)
}

func (b *budget) add(caller fsm.Hash, n int64) {
	b.used += n
	if b.by[caller] += n; b.by[caller] == 0 {
		delete(b.by, caller)
	}
}

// most is how much one request counts that needs n bytes. A quarter of the budget always suffices, so that there is some time for each.
func (b *budget) most(n int64) int64 { return min(n, b.limit/4) }

// scarce reports whether more than half is in use.
func (b *budget) scarce() bool { return b.inUse() > b.limit/2 }

func (b *budget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// share is what one request holds of a budget. The zero value holds nothing.
type share struct {
	of     *budget
	caller fsm.Hash
	bytes  int64
}

// grow makes the share one of at least n bytes of a budget, of which it gives up what it had of another. If it fails, the share stays as it
// was.
func (s *share) grow(of *budget, caller fsm.Hash, n int64) bool {
	n = of.most(n)
	if s.of == of && s.caller == caller {
		if n > s.bytes {
			if !of.take(caller, n-s.bytes) {
				return false
			}
			s.bytes = n
		}
		return true
	}
	if !of.take(caller, n) {
		return false
	}
	s.release()
	*s = share{of, caller, n}
	return true
}

// owe makes the share one of n bytes, for an answer that is sent in any case.
func (s *share) owe(of *budget, caller fsm.Hash, n int64) {
	s.release()
	*s = share{of, caller, of.most(n)}
	of.owe(caller, s.bytes)
}

// shrink gives back what exceeds n bytes.
func (s *share) shrink(n int64) {
	if s.of != nil && n < s.bytes {
		s.of.give(s.caller, s.bytes-n)
		s.bytes = n
	}
}

// release gives everything back.
func (s *share) release() {
	if s.of != nil {
		s.of.give(s.caller, s.bytes)
		*s = share{}
	}
}
