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

// IdempotentReplay is the answer of an idempotency record, and the index of the log entry that stored it.
type IdempotentReplay struct {
	Result Result // neither a *Refusal nor an *IdempotentReplay
	Index  uint64
}

var idempotentReplayResultType = resultType{kind: 81, since: 1, create: createResult[IdempotentReplay]}

func (*IdempotentReplay) is() *resultType { return &idempotentReplayResultType }

func (r *IdempotentReplay) fields(v *fields.Visitor) {
	v.Uint(&r.Index)
	visitKept(&r.Result, v)
}

// visitKept visits the result in an idempotency record: neither a refusal nor a replay.
func visitKept(p *Result, v *fields.Visitor) {
	if kind, ok := nextKind(v); ok && (kind == idempotentReplayResultType.kind || kind == refusalResultType.kind) {
		v.Fail(fmt.Errorf("a result of kind %d is kept under an idempotency key", kind))
		return
	}
	VisitResult(v, p)
}

// Retransmitted is the answer to a retransmission: the first result, and the index of its log entry.
type Retransmitted struct {
	Result Result
	Index  uint64
}

// storable reports whether an idempotency record may hold a result: it answers a command, and its items are verdicts or refusals.
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

// A Retransmitted never leaves its node: the node returns the result and the index.
func (*Retransmitted) is() *resultType {
	panic("fsm: a replayed result is not stored and does not travel")
}

func (*Retransmitted) fields(*fields.Visitor) {}
