package fsmtest

import (
	"math"

	"github.com/creditd/creditd/fsm"
)

func stated(n fsm.ImportedCredits) account {
	return account{limited: n.Limited, remaining: n.Remaining, refill: n.Refill, refilledAt: n.RefilledAt}
}

func (k *importMark) has(n fsm.ImportedCredits) bool {
	return k.limited == n.Limited && k.remaining == n.Remaining && k.refilledAt == n.RefilledAt
}

func (m *importing) stale(mark *importMark, n fsm.ImportedCredits) bool {
	return m.c.ReadAt != 0 && m.c.ReadAt < mark.readAt || n.Limited && mark.limited && n.RefilledAt < mark.refilledAt
}

// track remembers what an owner came with, or that its source was read again.
func (m *importing) track(w string, of fsm.MarkedKind, id string, n fsm.ImportedCredits) {
	if mark := m.markOf(of, id); mark != nil {
		mark.readAt = max(mark.readAt, m.c.ReadAt)
	} else if m.c.Track {
		m.marks = append(m.marks, &importMark{
			workspace: w, owner: id, of: of, limited: n.Limited, remaining: n.Remaining, refilledAt: n.RefilledAt, readAt: m.c.ReadAt, exact: m.version >= FifthRules,
		})
	}
}

// importedOwner is a key or an identity that exists.
type importedOwner struct {
	id     string
	of     fsm.MarkedKind
	has    account
	same   bool   // everything but the credits is as the record says
	write  func() // makes it so
	become func(account)
}

// settleOwner decides about an owner that exists.
func (m *importing) settleOwner(w string, o importedOwner, n fsm.ImportedCredits) fsm.ImportOutcome {
	mark := m.markOf(o.of, o.id)
	if outcome, ok := m.marked(w, mark, true); !ok {
		return outcome
	}
	sameBalance := o.has == stated(n)
	if mark != nil {
		sameBalance = mark.has(n) && (!n.Limited || !o.has.limited || o.has.refill == n.Refill)
	}
	if o.same && sameBalance {
		m.track(w, o.of, o.id, n)
		return importedBefore
	}
	if !m.replaces() {
		return m.conflict(fsm.ImportDifferent)
	}
	if mark == nil {
		o.rewrite()
		m.track(w, o.of, o.id, n)
		if !sameBalance {
			o.become(stated(n))
			m.catchUp(o.of, o.id, n)
		}
		return fsm.ImportOutcome{Status: fsm.ImportReplaced}
	}
	current := !m.stale(mark, n)
	outcome, write := m.difference(o, mark, n)
	if outcome.Status == fsm.ImportConflict {
		return outcome
	}
	outcome.Status = fsm.ImportReplaced
	o.rewrite()
	write()
	if a := m.accountOf(o.of, o.id); current && n.Limited && a.limited {
		a.refill = n.Refill
	}
	return outcome
}

func (o importedOwner) rewrite() {
	if !o.same {
		o.write()
	}
}

// takeBalance decides about what an owner has in the source now.
func (m *importing) takeBalance(w string, r *fsm.ImportMarkRecord, n fsm.ImportedCredits) fsm.ImportOutcome {
	if r.Of == fsm.MarkedAPI {
		return fsm.ImportOutcome{Status: fsm.ImportInvalid}
	}
	mark := m.markOf(r.Of, r.Owner)
	ours := mark != nil && mark.workspace == w
	o, exists, gone := m.ownerOf(w, r.Of, r.Owner)
	switch {
	case exists && gone, !exists && ours:
		return m.conflict(fsm.ImportDeleted)
	case !exists:
		return refusedImport(fsm.ImportNotFound)
	case !ours:
		return m.conflict(fsm.ImportNotTracked)
	case mark.has(n):
		m.track(w, r.Of, r.Owner, n)
		return importedBefore
	}
	outcome, write := m.difference(o, mark, n)
	if outcome.Status == fsm.ImportReplaced {
		write()
	}
	return outcome
}

// base is what a balance of the source counts from, and what later ones will: the newest base that the source's last refill reaches.
func (m *importing) base(has account, mark *importMark, n fsm.ImportedCredits) (base int64, rest []fsm.MarkBase) {
	if !has.limited || !mark.limited || !n.Limited {
		return 0, nil
	}
	seen, limit := n.RefilledAt/dayMillis, mark.refilledAt/dayMillis
	base = mark.remaining
	if !mark.exact {
		if both := n.RefilledAt > mark.refilledAt && has.refilledAt/dayMillis > limit; both && n.Refill != (fsm.Refill{}) {
			base = n.Refill.Amount // the owner may have lost its own refill here, or have another one
		} else if both && has.refill != (fsm.Refill{}) {
			base = has.refill.Amount
		}
		if m.version >= FifthRules && has.refill != (fsm.Refill{}) && has.refilledAt/dayMillis > seen {
			rest = []fsm.MarkBase{{Day: seen + 1, Base: plus(has.refill.Amount, n.Remaining-base)}}
		}
		return base, rest
	}
	for _, b := range mark.bases {
		if b.Day > limit && b.Day <= seen {
			base = b.Base
		}
	}
	for _, b := range mark.bases {
		if b.Day > max(limit, seen) {
			rest = append(rest, fsm.MarkBase{Day: b.Day, Base: plus(b.Base, plus(n.Remaining, -base))})
		}
	}
	return base, rest
}

// difference is the rule of records.md. The refill of a day that both sides gave counts once.
func (m *importing) difference(o importedOwner, mark *importMark, n fsm.ImportedCredits) (fsm.ImportOutcome, func()) {
	has := o.has
	base, rest := m.base(has, mark, n)
	move := func() {
		mark.exact, mark.bases = m.version >= FifthRules, rest
		mark.limited, mark.remaining, mark.refilledAt, mark.readAt = n.Limited, n.Remaining, n.RefilledAt, max(mark.readAt, m.c.ReadAt)
	}
	switch {
	case m.stale(mark, n) || mark.has(n):
		return importedBefore, func() {}
	case has.limited != mark.limited:
		return m.conflict(fsm.ImportChangedHere), nil
	case n.Limited != mark.limited && !m.replaces():
		return m.conflict(fsm.ImportChangedThere), nil
	case n.Limited != mark.limited:
		return fsm.ImportOutcome{Status: fsm.ImportReplaced}, func() { o.become(stated(n)); move(); m.catchUp(o.of, o.id, n) }
	}
	outcome, change := fsm.ImportOutcome{Status: fsm.ImportReplaced}, plus(n.Remaining, -base)
	switch {
	case change > 0 && has.remaining > math.MaxInt64-change:
		return m.conflict(fsm.ImportAboveMaximum), nil
	case has.remaining+change < 0 && !m.replaces():
		return m.conflict(fsm.ImportBelowZero), nil
	case has.remaining+change < 0:
		outcome.Shortfall = -(has.remaining + change)
	}
	return outcome, func() {
		has.remaining = max(0, has.remaining+change)
		has.refilledAt = max(has.refilledAt, n.RefilledAt)
		o.become(has)
		move()
	}
}
