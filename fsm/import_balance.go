package fsm

import "math"

func (n *ImportedCredits) valid() bool {
	if !n.Limited {
		return *n == ImportedCredits{}
	}
	return n.Remaining >= 0 && n.Refill.kept() && n.RefilledAt >= 0 && n.RefilledAt <= maxExpiration && n.Considered >= 0 && n.Considered <= dayOf(maxExpiration)
}

// opens gives a new owner its credits.
func (m *importer) opens(w *workspace, id string, of MarkedKind, own func() *credit, n ImportedCredits) {
	if n.Limited {
		m.setImported(own(), n)
	}
	if m.track {
		m.addMark(m.newMark(w, id, of, n))
	}
}

// markFor finds the mark of an owner that exists; nil: there is none. A new one must have room. ok is false if outcome says why not.
func (m *importer) markFor(w *workspace, id string, of MarkedKind) (mark *importMark, outcome ImportOutcome, ok bool) {
	switch mark = m.markOf(markID(id, of)); {
	case mark != nil && mark.workspace != w:
		return nil, m.conflict(ImportIDTaken), false
	case mark == nil && m.track && w.marksFull():
		return nil, refusedImport(ImportOverQuota), false
	}
	return mark, ImportOutcome{}, true
}

// absent asks for the mark of something that does not exist: if there is one, the thing was deleted and does not come back.
func (m *importer) absent(w *workspace, id string, of MarkedKind) (outcome ImportOutcome, ok bool) {
	mark, outcome, ok := m.markFor(w, id, of)
	if ok && mark != nil {
		return m.conflict(ImportDeleted), false
	}
	return outcome, ok
}

func (m *importer) newMark(w *workspace, id string, of MarkedKind, n ImportedCredits) *importMark {
	return &importMark{
		workspace: w, owner: id, of: of, limited: n.Limited, remaining: n.Remaining, refilledAt: n.RefilledAt, readAt: m.readAt,
		exact: m.version >= fifthRules,
	}
}

// setImported makes a credit record what was imported. A refill that is due and was not given yet is given with the next use.
func (m *importer) setImported(c *credit, n ImportedCredits) {
	m.beforeChange(c)
	if !c.present {
		c.present, c.remaining = true, 0
		m.creditRecords++
	}
	m.setBalance(c, n.Remaining)
	c.refill, c.refilledAt, c.considered = n.Refill, n.RefilledAt, n.Considered
	if c.refill.Interval == NoRefill {
		c.considered = dayOf(m.clock)
	}
	m.afterChange(c)
}

// sameCredits compares a record with what was imported, as it is stored.
func sameCredits(c *credit, n ImportedCredits) bool {
	if !c.limited() || !n.Limited {
		return c.limited() == n.Limited
	}
	return c.remaining == n.Remaining && c.refill == n.Refill && c.refilledAt == n.RefilledAt &&
		(c.refill.Interval == NoRefill || c.considered == n.Considered)
}

// settleOwner decides about a key or an identity that exists. Of a tracked one, the difference of the balance counts.
func (m *importer) settleOwner(w *workspace, o importedOwner, n ImportedCredits) ImportOutcome {
	mark, outcome, ok := m.markFor(w, o.id, o.of)
	if !ok {
		return outcome
	}
	sameBalance := sameCredits(o.credit, n)
	if mark != nil {
		sameBalance = mark.has(n) && (!n.Limited || !o.credit.limited() || o.credit.refill == n.Refill)
	}
	if !o.same || !sameBalance {
		if m.rule != ReplaceOnConflict {
			return m.conflict(ImportDifferent)
		}
	} else {
		m.trackOnly(w, o, mark, n)
		return importedBefore
	}
	outcome = importReplaced
	if mark != nil {
		var write func()
		current := !m.stale(mark, n)
		if outcome, write = m.difference(mark, o, n); outcome.Status == ImportConflict {
			return outcome
		}
		outcome.Status = ImportReplaced
		m.rewrite(o)
		write()
		if c := o.own(); current && n.Limited && c.limited() && c.refill != n.Refill {
			m.beforeChange(c)
			m.touch(c)
			c.refill = n.Refill
			m.afterChange(c)
		}
		return outcome
	}
	m.rewrite(o)
	if !sameBalance {
		if o.before != nil {
			o.before()
		}
		if c := o.own(); n.Limited {
			m.setImported(c, n)
		} else if c.limited() {
			m.makeUnlimited(c)
		}
	}
	m.trackOnly(w, o, nil, n)
	return outcome
}

func (m *importer) rewrite(o importedOwner) {
	if !o.same {
		o.write()
	}
}

// trackOnly begins to track an owner, or notes that the source was read again.
func (m *importer) trackOnly(w *workspace, o importedOwner, mark *importMark, n ImportedCredits) {
	switch {
	case mark == nil && m.track:
		m.addMark(m.newMark(w, o.id, o.of, n))
	case mark != nil && m.readAt > mark.readAt:
		m.beforeChange(mark)
		mark.readAt = m.readAt
		m.afterChange(mark)
	}
}

// stale reports whether a balance is older than what was last taken into account.
func (m *importer) stale(mark *importMark, n ImportedCredits) bool {
	return m.readAt != 0 && m.readAt < mark.readAt || n.Limited && mark.limited && n.RefilledAt < mark.refilledAt
}

// has reports whether the source has what it had.
func (k *importMark) has(n ImportedCredits) bool {
	return k.limited == n.Limited && k.remaining == n.Remaining && k.refilledAt == n.RefilledAt
}

// takeBalance applies what an owner has in the source now.
func (m *importer) takeBalance(w *workspace, r *ImportMarkRecord, n ImportedCredits) ImportOutcome {
	if r.Of > MarkedIdentity {
		return ImportOutcome{Status: ImportInvalid}
	}
	mark, outcome, ok := m.markFor(w, r.Owner, r.Of)
	o := importedOwner{id: r.Owner, of: r.Of, same: true}
	i, k := m.identities.find(r.Owner), m.keys.find(r.Owner)
	switch {
	case r.Of == MarkedIdentity && i != nil && i.workspace == w:
		if i.deleted {
			return m.conflict(ImportDeleted)
		}
		o.credit, o.own = i.credit, i.ownCredit
	case r.Of == MarkedKey && k != nil && k.api.workspace == w:
		if k.gone() {
			return m.conflict(ImportDeleted)
		}
		o.credit, o.own = k.shownCredit(), k.ownCredit
		o.before = func() { m.decideOwn(k, !n.Limited) }
	case ok && mark != nil:
		return m.conflict(ImportDeleted)
	default:
		return refusedImport(ImportNotFound)
	}
	if !ok || mark == nil {
		return m.conflict(ImportNotTracked)
	}
	if mark.has(n) {
		m.trackOnly(w, o, mark, n)
		return importedBefore
	}
	outcome, write := m.difference(mark, o, n)
	if outcome.Status == ImportReplaced {
		write()
	}
	return outcome
}

// difference decides what the source's balance n means for an owner. write applies it, unless the outcome is a conflict.
func (m *importer) difference(mark *importMark, o importedOwner, n ImportedCredits) (ImportOutcome, func()) {
	var bases []MarkBase
	move := func(change func()) func() {
		return func() {
			if change != nil {
				change()
			}
			m.beforeChange(mark)
			mark.limited, mark.remaining, mark.refilledAt, mark.readAt = n.Limited, n.Remaining, n.RefilledAt, max(mark.readAt, m.readAt)
			mark.exact, mark.bases = m.version >= fifthRules, bases
			m.afterChange(mark)
		}
	}
	switch {
	case m.stale(mark, n), mark.has(n):
		return importedBefore, func() {}
	case o.credit.limited() != mark.limited:
		return m.conflict(ImportChangedHere), nil
	case n.Limited != mark.limited:
		if m.rule != ReplaceOnConflict {
			return m.conflict(ImportChangedThere), nil
		}
		return importReplaced, move(func() { m.becomes(o, n) })
	case !n.Limited:
		return importReplaced, move(nil)
	}
	c, at := o.credit, m.clock
	if n.RefilledAt > mark.refilledAt {
		at = max(at, n.RefilledAt) // a clock ahead of this one has seen the next day: then it is due here as well
	}
	base := int64(0)
	if mark.exact {
		base, bases = mark.basesAt(c, n, at)
	} else if base = mark.baseBelowFive(c, n, at); m.version >= fifthRules {
		bases = basesFrom(c, n, base, at)
	}
	after, shortfall := moved(c.balance(at), saturated(n.Remaining, -base))
	switch {
	case after < 0:
		return m.conflict(ImportAboveMaximum), nil
	case shortfall > 0 && m.rule != ReplaceOnConflict:
		return m.conflict(ImportBelowZero), nil
	}
	return ImportOutcome{Status: ImportReplaced, Shortfall: shortfall}, move(func() {
		if o.before != nil {
			o.before()
		}
		c := o.own()
		m.beforeChange(c)
		m.touchAt(c, at)
		m.setBalance(c, after)
		c.refilledAt = max(c.refilledAt, n.RefilledAt)
		m.afterChange(c)
	})
}

// moved adds a difference to a balance. A result below 0 is 0 and a shortfall; one above the maximum is -1.
func moved(balance, difference int64) (after, shortfall int64) {
	switch {
	case difference > 0 && balance > math.MaxInt64-difference:
		return -1, 0
	case balance+difference < 0:
		return 0, -(balance + difference)
	}
	return balance + difference, 0
}

// becomes makes an owner limited or unlimited, as the source is now.
func (m *importer) becomes(o importedOwner, n ImportedCredits) {
	if o.before != nil {
		o.before()
	}
	if n.Limited {
		m.setImported(o.own(), n)
	} else if c := o.own(); c.limited() {
		m.makeUnlimited(c)
	}
}
