package propose

import (
	"context"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store/failpoint"
)

// Execute executes a command, wherever the leader is, and returns its result and the log index that the result reflects.
//
// The command takes effect exactly once, whatever fails. It is sent again after a failure until its result is known, ctx ends, or no leader
// was found in time. Errors are *fault.Error: fault.Unknown means that it may have taken effect, every other kind that it has not and never
// will.
func (p *Proposer) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	if refusal, index, err := p.refuseUnready(ctx, call); err != nil {
		return nil, 0, err
	} else if refusal != nil {
		return refusal, index, nil
	}
	for {
		id, err := p.session.next(ctx)
		if err != nil {
			return nil, 0, err
		}
		call.ID = id
		a := p.ExecuteUnnumbered(ctx, call)
		failpoint.Hit(failpoint.CallIDBeforeSettle)
		p.session.acknowledge(id)
		if sessionExpired(a.Result) {
			p.session.forget(id.Session)
			continue
		}
		return a.Result, a.Index, a.Err
	}
}

func sessionExpired(r fsm.Result) bool {
	refusal, ok := r.(*fsm.Refusal)
	return ok && refusal.Code == fsm.SessionExpired
}

// ExecuteUnnumbered sends a call, with the call id that it has, until its result is known. An expired session is reported only if the call
// cannot have been executed. A call without an id may be executed twice, or its outcome may stay unknown.
func (p *Proposer) ExecuteUnnumbered(ctx context.Context, call fsm.Call) (a batch.Answer) {
	retransmission := false
	err := p.conf.Leader.Retry(ctx, func() error {
		a = p.try(ctx, call, retransmission)
		if a.Err != nil && fault.KindOf(a.Err) == fault.Unknown && ctx.Err() == nil {
			retransmission = true
			return fault.Wrap(fault.Unavailable, "The outcome is not known yet", a.Err)
		}
		return a.Err
	})
	if retransmission && sessionExpired(a.Result) {
		err = fault.New(fault.Unknown, "The request was sent before and its outcome is no longer known")
	}
	if err != nil && retransmission {
		err = fault.Wrap(fault.Unknown, "The outcome was unknown when the deadline passed", err)
	}
	if err != nil {
		return batch.Answer{Err: err}
	}
	return a
}

// try sends the call one way: to our own batcher, or to the leader.
func (p *Proposer) try(ctx context.Context, call fsm.Call, retransmission bool) batch.Answer {
	if p.conf.Traces != nil {
		if parent, ok := p.conf.Traces.Parent(ctx); ok {
			return p.tryTraced(ctx, parent, call, retransmission)
		}
	}
	if b := p.batcher.Load(); b != nil {
		return p.executeHere(ctx, b, call, retransmission)
	}
	a, err := leader.Call(ctx, p.conf.Leader, &Execute, forwarded{call: call, retransmission: retransmission})
	if err != nil {
		return batch.Answer{Err: err}
	}
	return a
}

func (p *Proposer) executeHere(ctx context.Context, b *batch.Batcher, call fsm.Call, retransmission bool) batch.Answer {
	if err := p.refuseWhenDiskFull(call, retransmission); err != nil {
		return batch.Answer{Err: err}
	}
	deadline, _ := ctx.Deadline()
	w := p.takeWaiter()
	if size := sizeOf(call); !p.admitCheap(b, call, size, retransmission, deadline, w) {
		p.admitCostly(ctx, b, call, size, retransmission, deadline, w)
	}
	a, answered := p.await(ctx, w)
	if answered {
		failpoint.Hit(failpoint.ReplyBeforeLocal)
	}
	return a
}

// await waits for an answer. Without one the outcome is unknown.
func (p *Proposer) await(ctx context.Context, w waiter) (a batch.Answer, answered bool) {
	select {
	case a := <-w:
		p.waiters.Put(w)
		return a, true
	case <-ctx.Done():
		return batch.Answer{Err: fault.Wrap(fault.Unknown, "The outcome was unknown when the deadline passed", ctx.Err())}, false
	case <-p.conf.Stopping:
		return batch.Answer{Err: fault.New(fault.Unknown, "The node stopped before the outcome was known")}, false
	}
}

// waiter waits for one answer in a goroutine of its own. It goes back to the pool only after it was answered.
type waiter chan batch.Answer

// Answer implements batch.Waiter. It never blocks: the channel holds one answer, and there is one.
func (w waiter) Answer(a batch.Answer) { w <- a }

func (p *Proposer) takeWaiter() waiter {
	if w, ok := p.waiters.Get().(waiter); ok {
		return w
	}
	return make(waiter, 1)
}

// verifySize bounds the encoded size of a plain verification; everything else is estimated.
const verifySize = 48

func sizeOf(call fsm.Call) int {
	if c, ok := call.Command.(*fsm.VerifyKey); ok && c.Query == "" && len(c.Ratelimits) == 0 && call.Origin == nil && call.Idempotency == nil {
		return verifySize
	}
	return call.Size()
}
