package fsm

import (
	"slices"
)

// auditCollector collects the entities that an audited command changes. The tracker reports every change to it, so no command can omit one.
type auditCollector struct {
	now     int64
	touched []touched
	seen    map[entity]struct{}
}

// touched is an entity as it was before the command.
type touched struct {
	entity entity
	isNew  bool
	before Digest  // of an entity other than a credit record
	shown  Credits // of a credit record
}

func newAuditCollector(now int64) *auditCollector {
	return &auditCollector{now: now, seen: make(map[entity]struct{})}
}

// collect is called before an entity changes, or after it was added.
func (t *auditCollector) collect(n entity, isNew bool) {
	if _, again := t.seen[n]; again {
		return
	}
	t.seen[n] = struct{}{}
	entry := touched{entity: n, isNew: isNew}
	if c, ok := n.(creditHolder); ok {
		entry.shown = c.show(t.now)
	} else if !isNew {
		entry.before = visibleDigest(n)
	}
	t.touched = append(t.touched, entry)
}

// creditHolder is an entity that holds credits.
type creditHolder interface {
	show(now int64) Credits
}

// partlyVisible is an entity with parts that no client sees.
type partlyVisible interface {
	// visibleDigest is the digest without those parts.
	visibleDigest() Digest
}

func visibleDigest(n entity) Digest {
	if p, ok := n.(partlyVisible); ok {
		return p.visibleDigest()
	}
	return n.digest()
}

// changed returns the resources and balances that differ from before the command.
func (t *auditCollector) changed() (resources []AuditResource, balances []AuditBalance) {
	for i := range t.touched {
		was := &t.touched[i]
		r := was.entity.resource()
		if r == (AuditResource{}) {
			continue
		}
		c, isCredit := was.entity.(creditHolder)
		switch {
		case isCredit:
			after := c.show(t.now)
			if after == was.shown {
				continue
			}
			balances = append(balances, AuditBalance{
				Owner: r, Before: Balance{was.shown.Limited, was.shown.Remaining}, After: Balance{after.Limited, after.Remaining},
			})
		case !was.isNew && !was.entity.header().removed && visibleDigest(was.entity) == was.before:
			continue
		}
		resources = append(resources, r)
	}
	slices.SortFunc(resources, compareResources)
	slices.SortFunc(balances, func(a, b AuditBalance) int { return compareResources(a.Owner, b.Owner) })
	return slices.Compact(resources), balances
}
