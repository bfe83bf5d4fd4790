package fsm

import (
	"math"
	"math/bits"

	"github.com/creditd/creditd/fsm/fields"
)

// The longest durations that count, in ms, from ledger version 3 on [D-35]. A longer one is from before, and counts as the longest.
const (
	maxDuration      = 366 * dayMillis // of a configured rate limit and an override
	maxAdHocDuration = 30 * dayMillis  // of a rate limit in a request
)

// counted is the duration that counts for a rate limit.
func (c *core) counted(duration, longest int64) int64 {
	if c.version < thirdRules {
		return duration
	}
	return min(duration, longest)
}

// window counts the tokens of one rate limit in two fixed windows: that of its last use, and the one before. See contract 2.6. A dropped
// window stays in rateLimits.windows until a snapshot covers its end, so that it has one place in the dirty set.
//
// Invariant: present windows are in rateLimits.expiries, at place; current and previous are not negative.
type window struct {
	entityHeader
	windowName
	prefix   fields.Hasher // of the digest: the fields that never change
	sequence int64         // index of the fixed window of current: Unix ms / duration
	current  int64
	previous int64 // in the fixed window before
	place    int32
	present  bool
	ended    bool // its duration counts no more
	waiting  bool // in rateLimits.dropped
	// workspace counts the window while it is present; nil: none, because its key was gone when the node started. Nothing that the ledger
	// decides depends on it.
	workspace *workspace
}

func newWindow(n windowName) *window {
	return &window{windowName: n, prefix: n.prefix()}
}

func (w *window) called() windowName { return w.windowName }

// counts returns the counts of the fixed window of now and of the one before it.
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

// used is the sliding count: the present fixed window plus the share of the previous one that is still inside, rounded down. An absent
// window has count 0.
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

// windowEnd is the end of the n-th fixed window counted from the one of now, Unix ms.
func windowEnd(now, duration, n int64) int64 { return windowStart(now/duration+n, duration) }

// windowStart is the start of the fixed window with an index, Unix ms.
func windowStart(sequence, duration int64) int64 {
	high, low := bits.Mul64(uint64(sequence), uint64(duration))
	if high > 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

// countFor counts a window that has become present for a workspace.
func (w *window) countFor(owner *workspace) {
	w.workspace = owner
	owner.used[WindowsQuota]++
}

// take adds cost to a window of a workspace. The caller has checked the limit; w is the window that the caller found.
func (l *rateLimits) take(owner *workspace, name windowName, w *window, cost int64) {
	if w == nil {
		w = l.windows.find(name) // an earlier request of the same call may have created it
	}
	if w == nil || !w.present {
		// Each new window expires up to two old ones, so expired windows never pile up.
		l.expiries.expire(l.clock, 2, l.dropWindow)
	}
	if w == nil {
		w = newWindow(name)
		l.windows.put(w)
	}
	l.beforeChange(w)
	current, previous := w.counts(l.clock)
	if !w.present {
		current, previous = 0, 0
		w.countFor(owner)
	}
	if cost < 0 || current > math.MaxInt64-cost {
		panic("fsm: a rate limit window overflows")
	}
	before := w.deadline()
	w.sequence, w.current, w.previous, w.ended = l.clock/w.duration, current+cost, previous, false
	switch {
	case !w.present:
		w.present = true
		l.expiries.add(w)
	case w.deadline() != before:
		l.expiries.fix(w)
	}
	l.afterChange(w)
}

// expire drops up to n windows that do not matter any more, and frees the memory of dropped windows.
func (l *rateLimits) expire(n int) {
	l.expiries.expire(l.clock, n, l.dropWindow)
	l.forgetWindows(n)
}

func (l *rateLimits) dropWindow(w *window) {
	l.beforeChange(w)
	w.present, w.sequence, w.current, w.previous, w.ended = false, 0, 0, 0, false
	l.afterChange(w)
	if w.workspace != nil {
		w.workspace.used[WindowsQuota]--
		w.workspace = nil
	}
	if !w.waiting {
		w.waiting = true
		l.dropped = append(l.dropped, w)
	}
}

// forgetWindows frees up to n dropped windows that a snapshot has covered. Nodes differ in when they do this. Nobody can see it.
func (l *rateLimits) forgetWindows(n int) {
	for ; n > 0 && len(l.dropped) > 0; n-- {
		w := l.dropped[0]
		if !w.present {
			if l.frozen != nil || w.gen == l.gen {
				return // no snapshot covers its end yet
			}
			l.windows.remove(w)
		}
		w.waiting = false
		l.dropped[0] = nil
		l.dropped = l.dropped[1:]
	}
}

// endOverlong ends the windows whose duration counts no more. They go first, some with each entry.
func (l *rateLimits) endOverlong() {
	var overlong []*window
	for _, w := range l.expiries {
		if w.duration > maxDuration {
			overlong = append(overlong, w)
		}
	}
	for _, w := range overlong {
		w.ended = true
		l.expiries.fix(w)
	}
}

// maxEnded bounds the windows that end with their owner at once. A list from before may be longer.
const maxEnded = 100

// endWindows ends the windows of the rate limits of a deleted key or identity, from ledger version 3 on. Those of other names end by
// themselves: see expire.
func (l *rateLimits) endWindows(scope WindowScope, owner string, list []Ratelimit) {
	if l.version < thirdRules {
		return
	}
	for _, r := range list[:min(maxEnded, len(list))] {
		if w := l.windows.find(windowName{scope, owner, r.Name, l.counted(r.Duration, maxDuration)}); w != nil && w.present {
			l.expiries.remove(w)
			l.dropWindow(w)
		}
	}
}

func (w *window) key() RecordKey { return RecordKey{WindowKind, w.recordID()} }

func (w *window) record() Record { return w.recordIn(nil) }

func (w *window) recordIn(spare *spares) Record {
	if !w.present {
		return nil
	}
	r := takeSpare[WindowRecord](spare)
	*r = WindowRecord{
		Scope: w.scope, Owner: w.owner, Name: w.name, Duration: w.duration,
		Sequence: w.sequence, Current: w.current, Previous: w.previous,
	}
	return r
}

// digest is computed twice for every verification with a rate limit.
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

func (l *rateLimits) loadWindow(r *WindowRecord) (*window, bool) {
	n := r.name()
	if n.scope < KeyScope || n.scope > NamespaceScope || n.duration < minDuration ||
		r.Sequence < 0 || r.Sequence > l.clock/n.duration || r.Current < 0 || r.Previous < 0 {
		return nil, false
	}
	w := newWindow(n)
	w.sequence, w.current, w.previous = r.Sequence, r.Current, r.Previous
	had := l.windows.len()
	if l.windows.put(w); l.windows.len() == had {
		return nil, false // it was there
	}
	w.present, w.ended = true, l.version >= thirdRules && w.duration > maxDuration
	l.expiries.add(w)
	l.add(w)
	return w, true
}

// deadline is when the counts do not matter any more. It is not stored: there may be millions of windows.
func (w *window) deadline() int64 {
	if w.ended {
		return 0
	}
	return windowStart(w.sequence+2, w.duration)
}

func (w *window) slot() *int32 { return &w.place }

func (w *window) sooner(o *window) bool {
	switch mine, other := w.deadline(), o.deadline(); {
	case mine != other:
		return mine < other
	case w.prefix != o.prefix: // many windows of one duration expire at the same moment
		return w.prefix.Less(o.prefix)
	default:
		return w.recordID() < o.recordID()
	}
}

func (*window) resource() AuditResource { return AuditResource{} }
