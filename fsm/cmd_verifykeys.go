package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// VerifyKeys runs many verifications in one step. See contract 7.2.
type VerifyKeys struct {
	Items []Verification
	// Atomic: all verifications pass, or nothing changes.
	Atomic bool
}

// Verification is one item of VerifyKeys.
type Verification struct {
	Command     Command      // *VerifyKey or *VerifyMigrated
	Idempotency *Idempotency // nil: the item has no idempotency key. Not in an atomic batch
}

var verifyKeysType = commandType{kind: 80, since: 1, unaudited: true, nests: true, create: create[VerifyKeys]}

func (*VerifyKeys) is() *commandType { return &verifyKeysType }

func (c *VerifyKeys) fields(v *fields.Visitor) {
	v.Bool(&c.Atomic)
	fields.List(v, &c.Items, (*Verification).fields)
}

func (i *Verification) fields(v *fields.Visitor) {
	visitIdempotency(&i.Idempotency, v)
	if kind, ok := nextKind(v); ok && kind != verifyKeyType.kind && kind != verifyKeyExtendedType.kind && kind != verifyMigratedType.kind {
		v.Fail(fmt.Errorf("a verification is a command of kind %d", kind))
		return
	}
	visitCommand(&i.Command, v)
}

// apply executes the items one after the other, or atomically.
func (c *VerifyKeys) apply(s *State, root *rootKey) Result {
	if refusal := c.check(); refusal != nil {
		return refusal
	}
	if c.Atomic {
		p := s.planKeys(root, c, true)
		if p.passed {
			s.executeKeys(p)
		}
		return p.answer(s.clock)
	}
	answer := &Verdicts{Results: make([]Result, len(c.Items))}
	verdicts := make([]Verdict, len(c.Items))
	var capacity itemCapacity
	pending := &pendingEffects{} // everything decided so far has been executed
	shown := 0
	for i := range c.Items {
		if s.exhausted(pending, shown) {
			answer.Results[i] = refuse(AnswerTooLarge)
			continue
		}
		answer.Results[i] = s.verifyItem(root, &c.Items[i], pending, &capacity, &verdicts[i])
		if v, ok := answer.Results[i].(*Verdict); ok {
			shown += v.size()
		}
	}
	return answer
}

// check validates the items together.
func (c *VerifyKeys) check() *Refusal {
	for i := range c.Items {
		if c.Atomic && c.Items[i].Idempotency != nil {
			return invalid("verifications: an item must not have an idempotencyKey when atomic is true: send the header Idempotency-Key instead")
		}
	}
	return nil
}

func (c *VerifyKeys) peek(s *State, root *rootKey, updateLastUsed bool) (Result, bool) {
	return s.peekKeys(root, c, updateLastUsed)
}
