package fsm

import "math"

// maxBases is how many bases a mark has at most. Then the oldest two become one, with the later base: it gives no refill twice.
const maxBases = 8

// beforeRefill notes how the refills that are due by a time change what the source's balance counts from.
func (x *importStore) beforeRefill(c *credit, at int64) {
	if len(x.marks) == 0 {
		return
	}
	of := MarkedKey
	if c.identity {
		of = MarkedIdentity
	}
	m := x.marks[markID(c.owner, of)]
	if m == nil || !m.exact || !m.limited {
		return
	}
	next, changed := m.nextBase(c, at)
	if !changed {
		return
	}
	x.beforeChange(m)
	m.bases = appendBase(m.bases, next)
	x.afterChange(m)
}

// nextBase is the base after the refills that are due by a time. What the ledger gives counts in it, so that the same refill of the source
// does not count again. Where the ledger has less than the source had, a refill of the source fills that up as well.
func (m *importMark) nextBase(c *credit, at int64) (next MarkBase, changed bool) {
	if !c.due(at) {
		return next, false
	}
	last := m.remaining
	if n := len(m.bases); n > 0 {
		last = m.bases[n-1].Base
	}
	given := max(0, c.refill.Amount-c.remaining)
	next = MarkBase{Day: c.refill.firstDue(c.considered), Base: min(c.remaining+given, saturated(last, given))}
	return next, next.Base != last
}

// appendBase never writes into a list that a snapshot may read.
func appendBase(list []MarkBase, b MarkBase) []MarkBase {
	if len(list) == maxBases {
		list = append([]MarkBase{{list[0].Day, list[1].Base}}, list[2:]...)
	}
	return append(list[:len(list):len(list)], b)
}

// saturated is a+b, or the nearest number that can be negated.
func saturated(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < -math.MaxInt64-b:
		return -math.MaxInt64
	}
	return a + b
}
