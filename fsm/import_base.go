package fsm

// basesAt returns the source's balance from which n counts, and what later ones count from when n has been applied.
func (m *importMark) basesAt(c *credit, n ImportedCredits, at int64) (base int64, rest []MarkBase) {
	list := m.bases
	if next, changed := m.nextBase(c, at); changed {
		list = appendBase(list, next)
	}
	base, seen := m.remaining, dayOf(m.refilledAt)
	if n.RefilledAt > m.refilledAt {
		seen = dayOf(n.RefilledAt)
	}
	for len(list) > 0 && list[0].Day <= seen {
		if list[0].Day > dayOf(m.refilledAt) {
			base = list[0].Base
		}
		list = list[1:]
	}
	return base, moveBases(list, saturated(n.Remaining, -base))
}

func moveBases(list []MarkBase, by int64) []MarkBase {
	var moved []MarkBase
	for _, b := range list {
		moved = append(moved, MarkBase{b.Day, saturated(b.Base, by)})
	}
	return moved
}

// baseBelowFive is the rule below ledger version 5, and of marks that are older. If both sides gave the refill of a day that the source had not
// seen before, it is the amount: the ledger has it already. Otherwise a refill of the source is part of the difference.
func (m *importMark) baseBelowFive(c *credit, n ImportedCredits, at int64) int64 {
	if n.RefilledAt <= m.refilledAt || dayOf(c.refilled(at)) <= dayOf(m.refilledAt) {
		return m.remaining
	}
	switch {
	case n.Refill.Interval != NoRefill:
		return n.Refill.Amount
	case c.refill.Interval != NoRefill:
		return c.refill.Amount
	}
	return m.remaining
}

// basesFrom is what an older mark counts from later: the ledger has given a refill that the source has not shown yet.
func basesFrom(c *credit, n ImportedCredits, base, at int64) []MarkBase {
	if c.refill.Interval == NoRefill || dayOf(c.refilled(at)) <= dayOf(n.RefilledAt) {
		return nil
	}
	return []MarkBase{{dayOf(n.RefilledAt) + 1, saturated(c.refill.Amount, n.Remaining-base)}}
}
