package fsm

import "github.com/creditd/creditd/fsm/fields"

// Interval is how often a refill is due.
type Interval uint8

// The intervals. NoRefill is the interval of a record without a refill.
const (
	NoRefill Interval = iota
	Daily
	Monthly
)

// Refill is the refill of a balance. One in a record satisfies contract 4.2.
type Refill struct {
	Interval Interval
	Amount   int64 // credits, at least 1
	Day      uint8 // day of the month 1..31 for Monthly, 0: none given
}

func (r *Refill) fields(v *fields.Visitor) {
	fields.Enum(v, &r.Interval, NoRefill, Monthly)
	if r.Interval == NoRefill && !v.Hashing() {
		return
	}
	v.Int(&r.Amount)
	fields.Enum(v, &r.Day, 0, 31)
}

// kept reports whether a refill satisfies contract 4.2.
func (r Refill) kept() bool {
	switch r.Interval {
	case NoRefill:
		return r.Amount == 0 && r.Day == 0
	case Daily:
		return r.Amount >= 1 && r.Day == 0
	case Monthly:
		return r.Amount >= 1 && r.Day >= 1 && r.Day <= 31
	default:
		return false
	}
}

// NewCredits are the credits of a new key or identity. The zero value is unlimited.
type NewCredits struct {
	Limited   bool
	Remaining int64 // credits, when Limited
	Refill    Refill
}

func (n *NewCredits) fields(v *fields.Visitor) {
	v.Bool(&n.Limited)
	v.Int(&n.Remaining)
	n.Refill.fields(v)
}

// CreditsChange is the three-state credits object of an update. The zero value changes nothing.
type CreditsChange struct {
	Unlimited bool // credits: null
	Remaining Field[int64]
	Refill    Field[Refill]
}

func (c *CreditsChange) fields(v *fields.Visitor) {
	v.Bool(&c.Unlimited)
	c.Remaining.visit(v, visitInt)
	c.Refill.visit(v, (*Refill).fields)
}

// BalanceOp is the operation of updateCredits.
type BalanceOp uint8

// The operations.
const (
	SetBalance BalanceOp = iota + 1
	Increment
	Decrement
)

// BalanceChange is one updateCredits request. Limited false stands for a null or absent value.
type BalanceChange struct {
	Op      BalanceOp
	Limited bool
	Value   int64
}

func (b *BalanceChange) fields(v *fields.Visitor) {
	fields.Enum(v, &b.Op, SetBalance, Decrement)
	v.Bool(&b.Limited)
	v.Int(&b.Value)
}

// Policy is which balance pays when a key has an identity. See contract 4.8.
type Policy uint8

// The policies.
const (
	IdentityPays Policy = iota // the identity's balance, or else the key's
	KeyPays                    // the key's balance, or else the identity's
	BothPay                    // every balance there is, all or nothing
)

func (p *Policy) fields(v *fields.Visitor) { fields.Enum(v, p, IdentityPays, BothPay) }

// checkRefill validates a refill: see contract 4.2. strict is for updates, where a day with a daily refill is an error. Creation ignores
// it.
func checkRefill(r Refill, strict bool) (Refill, *Refusal) {
	switch {
	case r.Interval > Monthly || r.Day > 31:
		return Refill{}, invalid("credits.refill names no day that a month can have")
	case r.Interval != NoRefill && r.Amount < 1:
		return Refill{}, invalid("credits.refill.amount must be at least 1")
	case r.Interval == Monthly && r.Day == 0:
		return Refill{}, invalid("credits.refill.refillDay is required when the interval is monthly")
	case r.Interval == Daily && r.Day != 0 && strict:
		return Refill{}, invalid("credits.refill.refillDay must not be given when the interval is daily")
	case r.Interval == Daily:
		r.Day = 0
	}
	return r, nil
}

// check validates the credits and returns them as they will be stored: see contract 4.2.
func (n NewCredits) check() (NewCredits, *Refusal) {
	if !n.Limited {
		if n.Refill.Interval != NoRefill {
			return n, invalid("credits.remaining must not be null when credits.refill is given")
		}
		return n, nil
	}
	if n.Remaining < 0 {
		return n, invalid("credits.remaining must not be negative")
	}
	refill, refusal := checkRefill(n.Refill, false)
	n.Refill = refill
	return n, refusal
}
