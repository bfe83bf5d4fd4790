package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

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

// balanceUpdate is what the two updateCredits endpoints ask for, docs/contract.md 4.4.
func balanceUpdate(operation string, value schema.Nullable[int64]) fsm.BalanceChange {
	return fsm.BalanceChange{Op: operations[operation], Limited: value.Set(), Value: value.Value}
}

var operations = map[string]fsm.BalanceOp{
	"set": fsm.SetBalance, "increment": fsm.Increment, "decrement": fsm.Decrement,
}

type creditsOut struct {
	Remaining *int64     `json:"remaining"` // null: unlimited
	Refill    *refillOut `json:"refill,omitempty"`
}

func showCredits(c *fsm.Credits) *creditsOut {
	if !c.Limited {
		return &creditsOut{}
	}
	return &creditsOut{Remaining: &c.Remaining, Refill: showRefill(c.Refill)}
}

// showRecord is showCredits where unlimited credits are left out.
func showRecord(c *fsm.Credits) *creditsOut {
	if !c.Limited {
		return nil
	}
	return showCredits(c)
}
