package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

// The request schemas that endpoints share, docs/contract.md 2.0, and what they mean to the ledger.

type keyID string

func (keyID) SchemaTag() string {
	return `schema:"minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

type externalID string

func (externalID) SchemaTag() string {
	return `schema:"minLength=1,maxLength=255,pattern=^[a-zA-Z0-9_.-]+$" doc:"Your own name for the owner of keys."`
}

type identityRef string

func (identityRef) SchemaTag() string {
	return `schema:"minLength=1" doc:"The id of an identity, or its externalId."`
}

type expiry int64

func (expiry) SchemaTag() string {
	return `schema:"minimum=0,maximum=4102444800000" doc:"Unix milliseconds."`
}

// expiresAt is the expiry of something new.
func expiresAt(e schema.Optional[expiry]) int64 { return int64(e.Or(expiry(fsm.Never))) }

// meta is a free-form object.
type meta = schema.Object

// keptMeta is a meta as the ledger keeps it: an empty object says no more than none.
func keptMeta(m meta) string {
	if m == "{}" {
		return ""
	}
	return string(m)
}

type refill struct {
	Interval  string `json:"interval" schema:"required,enum=daily|monthly"`
	Amount    int64  `json:"amount" schema:"required,minimum=1"`
	RefillDay int64  `json:"refillDay" schema:"minimum=1,maximum=31"`
}

const (
	daily   = "daily"
	monthly = "monthly"
)

func (r refill) refill() fsm.Refill {
	interval := fsm.Daily
	if r.Interval == monthly {
		interval = fsm.Monthly
	}
	return fsm.Refill{Interval: interval, Amount: r.Amount, Day: uint8(r.RefillDay)}
}

// credits are the credits of something new.
type credits struct {
	Remaining schema.Nullable[int64] `json:"remaining" schema:"required,minimum=0"`
	Refill    *refill                `json:"refill"`
}

// newCredits converts credits; nil is unlimited.
func (c *credits) newCredits() fsm.NewCredits {
	if c == nil {
		return fsm.NewCredits{}
	}
	n := fsm.NewCredits{Limited: c.Remaining.Set(), Remaining: c.Remaining.Value}
	if c.Refill != nil {
		n.Refill = c.Refill.refill()
	}
	return n
}

type creditsUpdate struct {
	Remaining schema.Nullable[int64]  `json:"remaining" schema:"minimum=0"`
	Refill    schema.Nullable[refill] `json:"refill"`
}

func creditsChange(u schema.Nullable[creditsUpdate]) fsm.CreditsChange {
	return fsm.CreditsChange{
		Unlimited: u.Null(),
		Remaining: field(u.Value.Remaining, same[int64]),
		Refill:    field(u.Value.Refill, refill.refill),
	}
}

// balanceUpdate is what the two updateCredits endpoints ask for.
func balanceUpdate(operation string, value schema.Nullable[int64]) fsm.BalanceChange {
	return fsm.BalanceChange{Op: operations[operation], Limited: value.Set(), Value: value.Value}
}

var operations = map[string]fsm.BalanceOp{
	"set": fsm.SetBalance, "increment": fsm.Increment, "decrement": fsm.Decrement,
}

// creditPolicies are the names of the policies of contract 4.8.
var creditPolicies = [...]string{fsm.IdentityPays: "identity", fsm.KeyPays: "key", fsm.BothPay: "both"}

type creditPolicy string

func (creditPolicy) SchemaTag() string {
	return `schema:"enum=identity|key|both" doc:"Who pays for a verification."`
}

// policy converts a policy; "" is the default one.
func (p creditPolicy) policy() fsm.Policy {
	for policy, name := range creditPolicies {
		if name == string(p) {
			return fsm.Policy(policy)
		}
	}
	return fsm.IdentityPays
}

// field converts a three-state field.
func field[From, To any](n schema.Nullable[From], convert func(From) To) fsm.Field[To] {
	switch {
	case n.Set():
		return fsm.Set(convert(n.Value))
	case n.Null():
		return fsm.Clear[To]()
	}
	return fsm.Field[To]{}
}

func same[T any](v T) T { return v }

func text[T ~string](v T) string { return string(v) }
