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
	entityHeader
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
func (l *rateLimits) take(name windowName, w *window, cost int64) {
	if w == nil {
		w = l.windows[name] // an earlier request of the same call may have made it
	}
	if w == nil || !w.present {
		// Two go for each that comes: there are never many more than those that matter.
		l.expiries.expire(l.clock, 2, l.dropWindow)
	}
	if w == nil {
		w = newWindow(name)
		l.windows[name] = w
	}
	l.beforeChange(w)
	current, previous := w.counts(l.clock)
	if !w.present {
		current, previous = 0, 0
	}
	if cost < 0 || current > math.MaxInt64-cost {
		panic("fsm: a rate limit window overflows")
	}
	w.sequence, w.current, w.previous = l.clock/w.duration, current+cost, previous
	l.keepUntil(w, windowEnd(l.clock, w.duration, 2))
	l.afterChange(w)
}

// keepUntil puts a window in its place among the expiries.
func (l *rateLimits) keepUntil(w *window, expires int64) {
	switch {
	case !w.present:
		w.present, w.expires = true, expires
		l.expiries.add(w)
	case w.expires != expires:
		w.expires = expires
		l.expiries.fix(w)
	}
}

// expire ends windows that cannot matter any more, and frees the memory of those that a snapshot has told the disk about.
func (l *rateLimits) expire(n int) {
	l.expiries.expire(l.clock, n, l.dropWindow)
	l.forgetWindows(n)
}

func (l *rateLimits) dropWindow(w *window) {
	l.beforeChange(w)
	w.present, w.sequence, w.current, w.previous, w.expires = false, 0, 0, 0, 0
	l.afterChange(w)
	if !w.waiting {
		w.waiting = true
		l.dropped = append(l.dropped, w)
	}
}

// forgetWindows frees up to n dropped windows of which the disk knows. When that is differs from node to node, and does not show.
func (l *rateLimits) forgetWindows(n int) {
	for ; n > 0 && len(l.dropped) > 0; n-- {
		w := l.dropped[0]
		if !w.present {
			if l.frozen != nil || w.gen == l.gen {
				return // its end is not in a snapshot yet
			}
			delete(l.windows, w.windowName)
		}
		w.waiting = false
		l.dropped[0] = nil
		l.dropped = l.dropped[1:]
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

func (l *rateLimits) loadWindow(r *WindowRecord) bool {
	n := r.name()
	if n.scope < KeyScope || n.scope > NamespaceScope || n.duration < minDuration || l.windows[n] != nil ||
		r.Sequence < 0 || r.Sequence > l.clock/n.duration || r.Current < 0 || r.Previous < 0 {
		return false
	}
	w := newWindow(n)
	w.sequence, w.current, w.previous = r.Sequence, r.Current, r.Previous
	l.windows[n] = w
	l.keepUntil(w, windowEnd(r.Sequence*n.duration, n.duration, 2))
	l.add(w)
	return true
}

func (w *window) deadline() int64 { return w.expires }

func (w *window) slot() *int32 { return &w.place }

func (w *window) sooner(o *window) bool {
	switch {
	case w.expires != o.expires:
		return w.expires < o.expires
	case w.prefix != o.prefix: // windows of one duration mostly expire at the same moment
		return w.prefix.Less(o.prefix)
	default:
		return w.recordID() < o.recordID()
	}
}

func (*window) resource() AuditResource { return AuditResource{} }
