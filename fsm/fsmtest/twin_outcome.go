package fsmtest

import (
	"math"
	"time"

	"github.com/creditd/creditd/fsm"
)

// namedCall is what became of a call with an idempotency key. The twin keeps all of them forever.
type namedCall struct {
	workspace string
	once      fsm.Idempotency
	at        time.Time
	answer    fsm.Repeated
}

func (t *Twin) time() time.Time { return time.UnixMilli(t.now) }

// valid are those that are not older than a day.
func (t *Twin) validCalls() (list []*namedCall) {
	for _, c := range t.calls {
		if t.time().Before(c.at.Add(24 * time.Hour)) {
			list = append(list, c)
		}
	}
	return list
}

// recall is contract 7.1; nil: the call has to be carried out.
func (t *Twin) recall(root *rootKey, once fsm.Idempotency) fsm.Result {
	for _, c := range t.validCalls() {
		if c.workspace == root.workspace && c.once.Name == once.Name {
			if c.once.Request != once.Request {
				return refusal(fsm.IdempotencyConflict)
			}
			answer := c.answer
			return &answer
		}
	}
	return nil
}

// onlyOnce carries a call out unless it was before, or there is no room to remember it.
func (t *Twin) onlyOnce(root *rootKey, once *fsm.Idempotency, carryOut func() fsm.Result) fsm.Result {
	if once == nil {
		return carryOut()
	}
	if earlier := t.recall(root, *once); earlier != nil {
		return earlier
	}
	room, oldest := int64(t.room), int64(math.MaxInt64)
	for _, c := range t.validCalls() {
		room--
		if v, ok := c.answer.Result.(*fsm.Verdicts); ok && len(v.Results) > 1 {
			room -= int64(len(v.Results) - 1)
		}
		oldest = min(oldest, c.at.UnixMilli())
	}
	if t.room > 0 && room <= 0 {
		wait := time.UnixMilli(oldest).Add(24 * time.Hour).Sub(t.time())
		return &fsm.Refusal{Code: fsm.TooManyOutcomes, RetryAfter: int64(math.Ceil(wait.Seconds()))}
	}
	r := carryOut()
	if _, refused := r.(*fsm.Refusal); !refused && t.recall(root, *once) == nil {
		t.calls = append(t.calls, &namedCall{root.workspace, *once, t.time(), fsm.Repeated{Result: r, Index: t.index}})
	}
	return r
}
