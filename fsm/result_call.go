package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Opened is the answer to OpenSession.
type Opened struct{ Session uint64 } // not 0

var openedResultType = resultType{kind: 70, since: 1, create: createResult[Opened]}

func (*Opened) is() *resultType { return &openedResultType }

func (r *Opened) fields(v *fields.Visitor) {
	v.Uint(&r.Session)
}

// IdempotentReplay is the answer to a call whose name had its outcome: that outcome, and the index of its entry.
type IdempotentReplay struct {
	Result Result // neither a *Refusal nor a *Repeated
	Index  uint64
}

var idempotentReplayResultType = resultType{kind: 81, since: 1, create: createResult[IdempotentReplay]}

func (*IdempotentReplay) is() *resultType { return &idempotentReplayResultType }

func (r *IdempotentReplay) fields(v *fields.Visitor) {
	v.Uint(&r.Index)
	visitKept(&r.Result, v)
}

// visitKept visits a result that is kept under an idempotency key: neither a refusal nor a replay.
func visitKept(p *Result, v *fields.Visitor) {
	if kind, ok := nextKind(v); ok && (kind == idempotentReplayResultType.kind || kind == refusalResultType.kind) {
		v.Fail(fmt.Errorf("a result of kind %d is kept under an idempotency key", kind))
		return
	}
	VisitResult(v, p)
}

// Retransmitted is the answer to a call that was carried out before: the answer it got then, and the index of its entry.
type Retransmitted struct {
	Result Result
	Index  uint64
}

// storable reports whether a result may stand under an idempotency key: it answers a command, and its items verifications.
func storable(r Result) bool {
	if r == nil || !r.is().answers {
		return false
	}
	if many, ok := r.(*Verdicts); ok {
		for _, item := range many.Results {
			if item.is() != &verdictResultType && item.is() != &refusalResultType {
				return false
			}
		}
	}
	return true
}

// A Replayed never leaves the node that made it: the node tells its result and its index.
func (*Retransmitted) is() *resultType {
	panic("fsm: a replayed result is not stored and does not travel")
}

func (*Retransmitted) fields(*fields.Visitor) {}
