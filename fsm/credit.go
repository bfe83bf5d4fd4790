package fsm

import (
	"fmt"
	"math"

	"github.com/creditd/creditd/fsm/fields"
)

// accounts changes balances and keeps the totals.
type accounts struct {
	*core
	totals        Totals
	creditRecords int // the number that exist
	refills       refillWatcher
}

// refillWatcher learns of the refills of a credit that are due by a time, before they are given.
type refillWatcher interface {
	beforeRefill(c *credit, at int64)
}

// credit is the balance of one key or one identity. An owner without a credit, or with one that is not present, is unlimited. The struct
// stays with its owner, so that a record that is removed and created again has one place in the dirty set.
type credit struct {
	entityHeader
	nextCredit
	owner      string // id of the key or identity
	identity   bool   // whether the owner is an identity
	present    bool
	remaining  int64
	refill     Refill
	refilledAt int64 // midnight of the due day of the last refill that raised the balance, Unix ms; 0: none
	considered int64 // due refills are applied up to this day
}

// limited reports whether there is a balance. Most unlimited owners have a nil credit.
func (c *credit) limited() bool { return c != nil && c.present }

// amount is the balance in the record; 0: there is none.
func (c *credit) amount() uint64 {
	if !c.limited() {
		return 0
	}
	return uint64(c.remaining)
}

// balance is the balance including a refill that is due by now. It changes nothing.
func (c *credit) balance(now int64) int64 {
	if c.due(now) {
		return max(c.remaining, c.refill.Amount)
	}
	return c.remaining
}

// due reports whether a refill day has passed since the day in considered. See contract 4.3.
func (c *credit) due(now int64) bool {
	today := dayOf(now)
	return c.refill.Interval != NoRefill && today > c.considered && c.refill.lastDue(today) > c.considered
}

// refilled is the time of the last refill, including one that is due by now.
func (c *credit) refilled(now int64) int64 {
	if c.due(now) && c.remaining < c.refill.Amount {
		return c.refill.firstDue(c.considered) * dayMillis
	}
	return c.refilledAt
}

// show returns the balance as callers see it. A nil credit is unlimited.
func (c *credit) show(now int64) Credits {
	if !c.limited() {
		return Credits{}
	}
	return Credits{Limited: true, Remaining: c.balance(now), Refill: c.refill}
}

// At is a balance as callers see it at a time, and when a refill last raised it.
func (r *CreditRecord) At(now int64) (remaining, refilledAt int64) {
	c := &credit{remaining: r.Remaining, refill: r.Refill, refilledAt: r.RefilledAt, considered: r.Considered}
	return c.balance(now), c.refilled(now)
}

// touch applies the refill that is due by now, before any other change. Call it between beforeChange and afterChange.
func (a *accounts) touch(c *credit) { a.touchAt(c, a.clock) }

// touchAt is touch at another time than now.
func (a *accounts) touchAt(c *credit, at int64) {
	if c.due(at) {
		a.refills.beforeRefill(c, at)
		if c.remaining < c.refill.Amount {
			a.totals.Granted += uint64(c.refill.Amount - c.remaining)
			c.refilledAt = c.refilled(at)
			c.remaining = c.refill.Amount
		}
	}
	c.considered = max(c.considered, dayOf(at))
}

// debit takes cost credits. The caller has checked the balance.
func (a *accounts) debit(c *credit, cost int64) {
	a.beforeChange(c)
	a.touch(c)
	if cost < 0 || c.remaining < cost {
		panic(fmt.Sprintf("fsm: charge of %d on a balance of %d", cost, c.remaining))
	}
	c.remaining -= cost
	c.nextCredit.debited(a.version)
	a.totals.Debited += uint64(cost)
	a.afterChange(c)
}

// setBalance sets the balance to v and adds the difference to the totals. Call it after touch, between beforeChange and afterChange.
func (a *accounts) setBalance(c *credit, v int64) {
	if v < 0 {
		panic(fmt.Sprintf("fsm: balance set to %d", v))
	}
	if v >= c.remaining {
		a.totals.Granted += uint64(v - c.remaining)
	} else {
		a.totals.Withdrawn += uint64(c.remaining - v)
	}
	c.remaining = v
}

// makeLimited gives an unlimited owner a balance of n credits.
func (a *accounts) makeLimited(c *credit, n int64, refill Refill) {
	a.beforeChange(c)
	c.present, c.remaining, c.refill = true, 0, refill
	c.considered = dayOf(a.clock)
	a.setBalance(c, n)
	a.creditRecords++
	a.afterChange(c)
}

// makeUnlimited removes the balance and the refill of a limited owner.
func (a *accounts) makeUnlimited(c *credit) {
	a.beforeChange(c)
	a.touch(c)
	a.setBalance(c, 0)
	c.present, c.refill, c.refilledAt, c.considered, c.nextCredit = false, Refill{}, 0, 0, nextCredit{}
	a.creditRecords--
	a.afterChange(c)
}

// check validates a change of the record c: see contract 4.5. It changes nothing.
func (ch CreditsChange) check(c *credit) *Refusal {
	if ch.Remaining.State == Given && ch.Remaining.Value < 0 {
		return invalid("credits.remaining must not be negative")
	}
	if ch.Unlimited || ch.Refill.State != Given {
		return nil
	}
	if ch.Remaining.State == Null {
		return invalid("credits.refill must not be given when credits.remaining is null")
	}
	if ch.Remaining.State == Absent && !c.limited() {
		return invalid("credits.refill cannot be set while credits are unlimited: set credits.remaining as well")
	}
	_, refusal := checkRefill(ch.Refill.Value, true)
	return refusal
}

// unlimited reports whether a change makes its owner unlimited.
func (ch CreditsChange) unlimited() bool { return ch.Unlimited || ch.Remaining.State == Null }

// gives reports whether a change gives an owner credits, of whatever amount, or makes it unlimited.
func (ch CreditsChange) gives() bool {
	return ch.unlimited() || ch.Remaining.State == Given || ch.Refill.State == Given
}

// changeCredits executes a change that check has accepted.
func (a *accounts) changeCredits(c *credit, ch CreditsChange) {
	if ch.unlimited() {
		if c.present {
			a.makeUnlimited(c)
		}
		return
	}
	if !c.present {
		if ch.Remaining.State == Given {
			a.makeLimited(c, ch.Remaining.Value, ch.Refill.Value)
		}
		return
	}
	if ch.Remaining.State == Absent && ch.Refill.State == Absent {
		return
	}
	a.beforeChange(c)
	a.touch(c)
	if ch.Remaining.State == Given {
		a.setBalance(c, ch.Remaining.Value)
	}
	switch ch.Refill.State {
	case Null:
		c.refill = Refill{}
	case Given:
		c.refill = ch.Refill.Value
	}
	a.afterChange(c)
}

// check validates an operation on the record c: see contract 4.4. It returns the balance after the operation.
func (b BalanceChange) check(c *credit, now int64) (int64, *Refusal) {
	if b.Op < SetBalance || b.Op > Decrement {
		return 0, invalid("operation must be set, increment or decrement")
	}
	if b.Value < 0 {
		return 0, invalid("value must not be negative")
	}
	if b.Op == SetBalance {
		return b.Value, nil
	}
	if !b.Limited {
		return 0, invalid("value is required for increment and decrement")
	}
	if !c.limited() {
		return 0, invalid("credits are unlimited: they can be set, but not incremented or decremented")
	}
	before := c.balance(now)
	if b.Op == Decrement {
		return max(0, before-b.Value), nil
	}
	if before > math.MaxInt64-b.Value {
		return 0, invalid("value is too large: the balance would exceed the largest 64-bit integer")
	}
	return before + b.Value, nil
}

// changeBalance executes an operation that check has accepted; after is the balance that check returned.
func (a *accounts) changeBalance(c *credit, b BalanceChange, after int64) Result {
	switch {
	case b.Op == SetBalance && !b.Limited:
		if c.present {
			a.makeUnlimited(c)
		}
	case !c.present:
		a.makeLimited(c, after, Refill{})
	default:
		a.beforeChange(c)
		a.touch(c)
		a.setBalance(c, after)
		a.afterChange(c)
	}
	shown := c.show(a.clock)
	return &shown
}

func (c *credit) key() RecordKey { return creditKey(c.owner, c.identity) }

func (c *credit) record() Record { return c.recordIn(nil) }

func (c *credit) recordIn(spare *spares) Record {
	if !c.present {
		return nil
	}
	r := takeSpare[CreditRecord](spare)
	*r = c.plain()
	return r
}

// plain is record without the allocation, for a present record.
func (c *credit) plain() CreditRecord {
	return CreditRecord{
		Owner: c.owner, Identity: c.identity, Remaining: c.remaining, Refill: c.refill,
		RefilledAt: c.refilledAt, Considered: c.considered, nextCredit: c.nextCredit,
	}
}

// digest is computed twice for every debit, so it does not use the visitor.
func (c *credit) digest() Digest {
	if !c.present {
		return Digest{}
	}
	kind := KeyCreditKind
	if c.identity {
		kind = IdentityCreditKind
	}
	h := fields.NewHasher(uint8(kind))
	h.String(c.owner)
	h.Bool(c.identity)
	h.Int(c.remaining)
	h.Int(int64(c.refill.Interval))
	h.Int(c.refill.Amount)
	h.Int(int64(c.refill.Day))
	h.Int(c.refilledAt)
	h.Int(c.considered)
	c.nextCredit.hashTo(&h)
	return digestFrom(h.Sum())
}

func (c *credit) resource() AuditResource {
	if c.identity {
		return AuditResource{IdentityResource, c.owner}
	}
	return AuditResource{KeyResource, c.owner}
}
