package fsm

import (
	"math"
	"math/bits"

	"github.com/creditd/creditd/fsm/fields"
)

// window counts what one rate limit let through: in the fixed window in which it was last used, and in the one before. See
// contract 2.6. One that was dropped keeps its place in State.windows until a snapshot has told the disk, so that a record that
// comes and goes keeps one place in the dirty set.
//
// Invariant: present windows are in State.expiries, at place; current and previous are not negative.
type window struct {
	head
	windowName
	prefix   fields.Hasher // of the digest: everything that never changes
	sequence int64         // index of the fixed window of current: Unix ms / duration
	current  int64
	previous int64 // of the fixed window before
	expires  int64 // Unix ms from which on the counts cannot matter
	place    int32
	present  bool
	waiting  bool // in State.dropped
}

func newWindow(n windowName) *window {
	v := fields.NewHashing(fields.NewHasher(uint8(WindowKind)))
	n.fields(&v)
	return &window{windowName: n, prefix: v.Hasher()}
}

// counts are the counts of the fixed window of now and of the one before it.
func (w *window) counts(now int64) (current, previous int64) {
	switch now / w.duration {
	case w.sequence:
		return w.current, w.previous
	case w.sequence + 1:
		return 0, w.current
	default:
		return 0, 0
	}
}

// used is the sliding count at a time: all of the current fixed window, and of the previous one the share that has not slid out,
// rounded down. A window that does not exist has let nothing through.
func (w *window) used(now int64) int64 {
	if w == nil || !w.present {
		return 0
	}
	current, previous := w.counts(now)
	// previous × left / duration, without overflow: left <= duration.
	left := w.duration - now%w.duration
	high, low := bits.Mul64(uint64(previous), uint64(left))
	share, _ := bits.Div64(high, low, uint64(w.duration))
	if current > math.MaxInt64-int64(share) {
		return math.MaxInt64
	}
	return current + int64(share)
}

// windowEnd is the end of the n-th fixed window from the one of now on, Unix ms.
func windowEnd(now, duration, n int64) int64 {
	high, low := bits.Mul64(uint64(now/duration+n), uint64(duration))
	if high > 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

// take counts cost in a window. The caller has decided that the limit allows it; w is what it found then.
func (s *State) take(name windowName, w *window, cost int64) {
	if w == nil {
		w = s.windows[name] // an earlier request of the same call may have made it
	}
	if w == nil || !w.present {
		// Two go for each that comes: there are never many more than those that matter.
		s.dropWindows(2)
	}
	if w == nil {
		w = newWindow(name)
		s.windows[name] = w
	}
	s.change(w)
	current, previous := w.counts(s.clock)
	if !w.present {
		current, previous = 0, 0
	}
	if cost < 0 || current > math.MaxInt64-cost {
		panic("fsm: a rate limit window overflows")
	}
	w.sequence, w.current, w.previous = s.clock/w.duration, current+cost, previous
	s.keepUntil(w, windowEnd(s.clock, w.duration, 2))
	s.changed(w)
}

// keepUntil puts a window in its place among the expiries.
func (s *State) keepUntil(w *window, expires int64) {
	switch {
	case !w.present:
		w.present, w.expires = true, expires
		s.expiries.push(w)
	case w.expires != expires:
		w.expires = expires
		s.expiries.fix(w)
	}
}

// windowsPerEntry is how many windows one log entry drops and forgets at most, apart from those that make room for new ones: an
// entry takes microseconds longer for it, not as long as there are windows.
const windowsPerEntry = 64

// sweepWindows ends windows that cannot matter any more. Called when log time has moved, and only then: an entry that changes
// nothing must not change the digest.
func (s *State) sweepWindows() {
	s.dropWindows(windowsPerEntry)
	s.forgetWindows(windowsPerEntry)
}

// dropWindows drops up to n windows that have expired, in an order that depends on nothing but the windows: every node drops the
// same ones with the same entry, however it came to its state.
func (s *State) dropWindows(n int) {
	for ; n > 0 && len(s.expiries) > 0 && s.expiries[0].expires <= s.clock; n-- {
		w := s.expiries.pop()
		s.change(w)
		w.present, w.sequence, w.current, w.previous, w.expires = false, 0, 0, 0, 0
		s.changed(w)
		if !w.waiting {
			w.waiting = true
			s.dropped = append(s.dropped, w)
		}
	}
}

// forgetWindows frees up to n dropped windows of which the disk knows. When that is differs from node to node, and does not show.
func (s *State) forgetWindows(n int) {
	for ; n > 0 && len(s.dropped) > 0; n-- {
		w := s.dropped[0]
		if !w.present {
			if s.frozen != nil || w.gen == s.gen {
				return // its end is not in a snapshot yet
			}
			delete(s.windows, w.windowName)
		}
		w.waiting = false
		s.dropped[0] = nil
		s.dropped = s.dropped[1:]
	}
}

func (w *window) key() RecordKey { return RecordKey{WindowKind, w.recordID()} }

func (w *window) record() Record {
	if !w.present {
		return nil
	}
	return &WindowRecord{
		Scope: w.scope, Owner: w.owner, Name: w.name, Duration: w.duration,
		Sequence: w.sequence, Current: w.current, Previous: w.previous,
	}
}

// digest stands on the path of every verification with a rate limit, twice.
func (w *window) digest() Digest {
	if !w.present {
		return Digest{}
	}
	h := w.prefix
	h.Int(w.sequence)
	h.Int(w.current)
	h.Int(w.previous)
	return digestFrom(h.Sum())
}

func (s *State) loadWindow(r *WindowRecord) bool {
	n := r.name()
	if n.scope < KeyScope || n.scope > NamespaceScope || n.duration < minDuration || s.windows[n] != nil ||
		r.Sequence < 0 || r.Sequence > s.clock/n.duration || r.Current < 0 || r.Previous < 0 {
		return false
	}
	w := newWindow(n)
	w.sequence, w.current, w.previous = r.Sequence, r.Current, r.Previous
	s.windows[n] = w
	s.keepUntil(w, windowEnd(r.Sequence*n.duration, n.duration, 2))
	s.added(w)
	return true
}

// expiryHeap has the present windows, the one that expires first at the front.
type expiryHeap []*window

// before is a total order: windows of one duration mostly expire at the same moment.
func (w *window) before(o *window) bool {
	switch {
	case w.expires != o.expires:
		return w.expires < o.expires
	case w.prefix != o.prefix:
		return w.prefix.Less(o.prefix)
	default:
		return w.recordID() < o.recordID()
	}
}

func (h *expiryHeap) push(w *window) {
	w.place = int32(len(*h))
	*h = append(*h, w)
	h.up(w)
}

func (h *expiryHeap) pop() *window {
	list := *h
	first, last := list[0], list[len(list)-1]
	list[len(list)-1] = nil
	*h = list[:len(list)-1]
	if first != last {
		last.place = 0
		list[0] = last
		h.down(last)
	}
	return first
}

// fix finds the place of a window whose expiry has changed.
func (h *expiryHeap) fix(w *window) {
	h.up(w)
	h.down(w)
}

func (h *expiryHeap) up(w *window) {
	list := *h
	i := int(w.place)
	for i > 0 {
		parent := (i - 1) / 2
		if !w.before(list[parent]) {
			break
		}
		list[i] = list[parent]
		list[i].place = int32(i)
		i = parent
	}
	list[i] = w
	w.place = int32(i)
}

func (h *expiryHeap) down(w *window) {
	list := *h
	i := int(w.place)
	for {
		child := 2*i + 1
		if child >= len(list) {
			break
		}
		if child+1 < len(list) && list[child+1].before(list[child]) {
			child++
		}
		if !list[child].before(w) {
			break
		}
		list[i] = list[child]
		list[i].place = int32(i)
		i = child
	}
	list[i] = w
	w.place = int32(i)
}
