package fsm

import (
	"slices"
)

// trail collects what an audited command touches. The tracker reports to it, which no change passes by, so a command cannot forget
// to.
type trail struct {
	now     int64
	touched []touched
	seen    map[node]struct{}
}

// touched is a record as it was before a command.
type touched struct {
	node   node
	isNew  bool
	before Digest  // of a record other than a credit record
	shown  Credits // of a credit record
}

func newTrail(now int64) *trail { return &trail{now: now, seen: make(map[node]struct{})} }

// note is called before a record is changed or after it was added.
func (t *trail) note(n node, isNew bool) {
	if _, again := t.seen[n]; again {
		return
	}
	t.seen[n] = struct{}{}
	entry := touched{node: n, isNew: isNew}
	if c, ok := n.(creditHolder); ok {
		entry.shown = c.show(t.now)
	} else if !isNew {
		entry.before = visibleDigest(n)
	}
	t.touched = append(t.touched, entry)
}

// creditHolder is a credit record.
type creditHolder interface {
	show(now int64) Credits
}

// partlyVisible is a record with a part that nobody sees.
type partlyVisible interface {
	// visibleDigest is the digest without that part.
	visibleDigest() Digest
}

func visibleDigest(n node) Digest {
	if p, ok := n.(partlyVisible); ok {
		return p.visibleDigest()
	}
	return n.digest()
}

// changed says what is different from how it was.
func (t *trail) changed() (resources []AuditResource, balances []AuditBalance) {
	for i := range t.touched {
		was := &t.touched[i]
		r := was.node.resource()
		if r == (AuditResource{}) {
			continue
		}
		c, isCredit := was.node.(creditHolder)
		switch {
		case isCredit:
			after := c.show(t.now)
			if after == was.shown {
				continue
			}
			balances = append(balances, AuditBalance{
				Owner: r, Before: Balance{was.shown.Limited, was.shown.Remaining}, After: Balance{after.Limited, after.Remaining},
			})
		case !was.isNew && !was.node.header().gone && visibleDigest(was.node) == was.before:
			continue
		}
		resources = append(resources, r)
	}
	slices.SortFunc(resources, compareResources)
	slices.SortFunc(balances, func(a, b AuditBalance) int { return compareResources(a.Owner, b.Owner) })
	return slices.Compact(resources), balances
}
