package fsmtest

import (
	"maps"

	"github.com/creditd/creditd/fsm"
)

// verifyKeys is contract 7.2: one verification after the other; of an atomic batch that does not pass, everything is taken back.
func (t *Model) verifyKeys(root *rootKey, c *fsm.VerifyKeys) fsm.Result {
	for _, item := range c.Items {
		if c.Atomic && item.Idempotency != nil {
			return refusal(fsm.InvalidInput)
		}
	}
	takeBack := t.save()
	answer := &fsm.Verdicts{Results: []fsm.Result{}, Passed: c.Atomic}
	noRoom := t.storeFull(root) // for all items, or for none
	for _, item := range c.Items {
		r := t.executeIdempotent(root, item.Idempotency, noRoom, func() fsm.Result { return t.execute(root, item.Command) })
		if repeated, ok := r.(*fsm.IdempotentReplay); ok {
			r = repeated.Result
			if _, verified := r.(*fsm.Verdict); !verified { // the name is that of a call of another sort
				r = refusal(fsm.IdempotencyConflict)
			}
		}
		v, verified := r.(*fsm.Verdict)
		answer.Passed = answer.Passed && verified && v.Code == fsm.Valid
		answer.Results = append(answer.Results, r)
	}
	if !c.Atomic || answer.Passed {
		return answer
	}
	takeBack()
	for i, item := range c.Items {
		if v, verified := answer.Results[i].(*fsm.Verdict); verified {
			t.showPresent(v, item.Command)
		}
	}
	return answer
}

// save returns what brings back everything that a verification can change.
func (t *Model) save() (restore func()) {
	keys, identities := make([]key, len(t.keys)), make([]identity, len(t.identities))
	for i, k := range t.keys {
		keys[i] = *k
	}
	for i, n := range t.identities {
		identities[i] = *n
	}
	counts, charged := maps.Clone(t.counts), t.charged
	return func() {
		for i, k := range t.keys {
			*k = keys[i]
		}
		for i, n := range t.identities {
			*n = identities[i]
		}
		t.counts, t.charged = counts, charged
	}
}

// showPresent shows the balance and the windows as they are.
func (t *Model) showPresent(v *fsm.Verdict, c fsm.Command) {
	verify, plain := c.(*fsm.VerifyKey)
	if !plain {
		verify = &c.(*fsm.VerifyMigrated).Verify
	}
	for _, k := range t.keys {
		if k.id != v.KeyID {
			continue
		}
		if v.Limited {
			v.Credits = smallest(t.payers(k))
		}
		checks, _ := t.checksOf(k, verify)
		for i := range v.Ratelimits {
			if state := &v.Ratelimits[i]; !state.Exceeded {
				state.Remaining = max(0, state.Limit-t.used(checks[i].whose, state.Name, state.Duration))
			}
		}
	}
}
