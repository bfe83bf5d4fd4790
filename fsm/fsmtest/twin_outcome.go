package fsmtest

import (
	"math"
	"reflect"
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

// weight is how many outcomes an answer counts as: one for each 256 bytes begun, and for each item of a batch.
func weight(r fsm.Result) (n int64) {
	v, many := r.(*fsm.Verdicts)
	if !many {
		return max(1, int64(math.Ceil(float64(extent(reflect.ValueOf(r)))/256)))
	}
	for _, item := range v.Results {
		n += weight(item)
	}
	return max(1, n)
}

// extent counts the texts of a value, and 160 for each element of a list, 16 if it is a text.
func extent(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return extent(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += extent(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			if n += extent(v.Index(i)); v.Index(i).Kind() == reflect.String {
				n += 16
			} else {
				n += 160
			}
		}
	}
	return n
}

// noRoom refuses to remember more, if there is no room now.
func (t *Twin) noRoom() fsm.Result {
	room, oldest := int64(t.room), int64(math.MaxInt64)
	for _, c := range t.validCalls() {
		room -= weight(c.answer.Result)
		oldest = min(oldest, c.at.UnixMilli())
	}
	if t.room > 0 && room <= 0 {
		wait := time.UnixMilli(oldest).Add(24 * time.Hour).Sub(t.time())
		return &fsm.Refusal{Code: fsm.TooManyOutcomes, RetryAfter: int64(math.Ceil(wait.Seconds()))}
	}
	return nil
}

// onlyOnce carries a call out unless it was before, or there is no room to remember it.
func (t *Twin) onlyOnce(root *rootKey, once *fsm.Idempotency, noRoom fsm.Result, carryOut func() fsm.Result) fsm.Result {
	if once == nil {
		return carryOut()
	}
	if earlier := t.recall(root, *once); earlier != nil {
		return earlier
	}
	if noRoom != nil {
		return noRoom
	}
	r := carryOut()
	if _, refused := r.(*fsm.Refusal); !refused && t.recall(root, *once) == nil {
		t.calls = append(t.calls, &namedCall{root.workspace, *once, t.time(), fsm.Repeated{Result: r, Index: t.index}})
	}
	return r
}
