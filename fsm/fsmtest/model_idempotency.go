package fsmtest

import (
	"math"
	"reflect"
	"time"

	"github.com/creditd/creditd/fsm"
)

// idempotentCall is the answer to a call with an idempotency key. The reference model keeps all of them forever.
type idempotentCall struct {
	workspace string
	key       fsm.Idempotency
	at        time.Time
	answer    fsm.IdempotentReplay
}

func (t *Model) time() time.Time { return time.UnixMilli(t.now) }

// valid are those that are not older than a day.
func (t *Model) validCalls() (list []*idempotentCall) {
	for _, c := range t.calls {
		if t.time().Before(c.at.Add(24 * time.Hour)) {
			list = append(list, c)
		}
	}
	return list
}

// findReplay is contract 7.1; nil: the call has to be carried out.
func (t *Model) findReplay(root *rootKey, key fsm.Idempotency) fsm.Result {
	for _, c := range t.validCalls() {
		if c.workspace == root.workspace && c.key.Key == key.Key {
			if c.key.Fingerprint != key.Fingerprint {
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
		return max(1, int64(math.Ceil(float64(size(reflect.ValueOf(r)))/256)))
	}
	for _, item := range v.Results {
		n += weight(item)
	}
	return max(1, n)
}

// size counts the texts of a value, and 160 for each element of a list, 16 if it is a text.
func size(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return size(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += size(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			if n += size(v.Index(i)); v.Index(i).Kind() == reflect.String {
				n += 16
			} else {
				n += 160
			}
		}
	}
	return n
}

// storeFull refuses to remember more for a workspace, if there is no room now.
func (t *Model) storeFull(root *rootKey) fsm.Result {
	var own, all int64
	oldest, oldestOfAll := int64(math.MaxInt64), int64(math.MaxInt64)
	for _, c := range t.validCalls() {
		all += weight(c.answer.Result)
		oldestOfAll = min(oldestOfAll, c.at.UnixMilli())
		if c.workspace == root.workspace {
			own += weight(c.answer.Result)
			oldest = min(oldest, c.at.UnixMilli())
		}
	}
	room := t.roomInShare(own, all)
	if t.version < ThirdRules {
		room, oldest = all < int64(t.capacity), oldestOfAll
	}
	quota := t.workspaceOf(root).quotas[fsm.OutcomesQuota]
	code := fsm.IdempotencyStoreFull
	switch {
	case quota.Limited && own >= quota.Limit:
		code = fsm.QuotaExceeded
	case t.capacity == 0 || room:
		return nil
	}
	if own == 0 && code == fsm.QuotaExceeded {
		return overQuota()
	}
	wait := time.UnixMilli(oldest).Add(24 * time.Hour).Sub(t.time())
	return &fsm.Refusal{Code: code, RetryAfter: int64(math.Ceil(wait.Seconds()))}
}

// roomInShare is contract 7.1: an eighth is shared equally, and of the rest a workspace has half of what the others leave.
func (t *Model) roomInShare(own, all int64) bool {
	if len(t.workspaces) == 1 {
		return all < int64(t.capacity)
	}
	eighth := int64(t.capacity / 8)
	left := int64(t.capacity) - eighth - (all - own)
	return own < max(1, eighth/int64(len(t.workspaces))) || 2*own < left
}

// executeIdempotent carries a call out unless it was before, or there is no room to remember it.
func (t *Model) executeIdempotent(root *rootKey, key *fsm.Idempotency, full fsm.Result, execute func() fsm.Result) fsm.Result {
	if key == nil {
		return execute()
	}
	if earlier := t.findReplay(root, *key); earlier != nil {
		return earlier
	}
	if full != nil {
		return full
	}
	r := execute()
	if _, refused := r.(*fsm.Refusal); !refused && t.findReplay(root, *key) == nil {
		t.calls = append(t.calls, &idempotentCall{root.workspace, *key, t.time(), fsm.IdempotentReplay{Result: r, Index: t.index}})
	}
	return r
}
