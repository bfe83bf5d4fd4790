package fsm

import (
	"slices"
)

// auditCollector collects the entities that an audited command changes. The tracker reports every change to it, so no command can omit one.
type auditCollector struct {
	now     int64
	touched []touched
	seen    map[entity]int // position in touched
	named   []AuditResource
}

// touched is an entity as it was before the command, and after it.
type touched struct {
	entity entity
	isNew  bool
	before Digest  // of what clients see of an entity other than a credit record
	after  Digest  // of all of it
	shown  Credits // of a credit record, before
}

func newAuditCollector(now int64) *auditCollector {
	return &auditCollector{now: now, seen: make(map[entity]int)}
}

// collect is called before an entity changes, with its digest, or after it was added.
func (t *auditCollector) collect(n entity, isNew bool, digest Digest) {
	if _, again := t.seen[n]; again {
		return
	}
	t.seen[n] = len(t.touched)
	entry := touched{entity: n, isNew: isNew}
	if c, ok := n.(creditHolder); ok {
		entry.shown = c.show(t.now)
	} else if !isNew {
		entry.before = visibleDigest(n, digest)
	}
	t.touched = append(t.touched, entry)
}

// changedTo is called after an entity changed, with its digest.
func (t *auditCollector) changedTo(n entity, digest Digest) {
	if at, touched := t.seen[n]; touched {
		t.touched[at].after = digest
	}
}

// name adds a resource of which only parts changed that are no resources themselves.
func (t *auditCollector) name(r AuditResource) { t.named = append(t.named, r) }

// creditHolder is an entity that holds credits.
type creditHolder interface {
	show(now int64) Credits
}

// partlyVisible is an entity that may have parts that no client sees.
type partlyVisible interface {
	hides() bool
	// visibleDigest is the digest without those parts.
	visibleDigest() Digest
}

// visibleDigest is the digest of what clients see. digest is that of the whole entity.
func visibleDigest(n entity, digest Digest) Digest {
	if p, ok := n.(partlyVisible); ok && p.hides() {
		return p.visibleDigest()
	}
	return digest
}

// changed returns the resources and balances that differ from before the command.
func (t *auditCollector) changed() (resources []AuditResource, balances []AuditBalance) {
	resources = t.named
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
		case !was.isNew && !was.entity.header().removed && visibleDigest(was.entity, was.after) == was.before:
			continue
		}
		resources = append(resources, r)
	}
	slices.SortFunc(resources, compareResources)
	slices.SortFunc(balances, func(a, b AuditBalance) int { return compareResources(a.Owner, b.Owner) })
	return slices.Compact(resources), balances
}
