package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store/failpoint"
)

// Execute carries out a command, wherever the leader is, and returns its result and the log index that the result reflects.
//
// The command takes effect once, whatever fails: it carries a ticket, and is sent again after a failure until an answer is learnt,
// ctx ends, or no leader was found for LeaderWait. Errors are *fault.Error; fault.Unknown means that it may have taken effect, every
// other kind that it has not and never will.
func (n *Node) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	for {
		ticket, err := n.tickets.take(ctx)
		if err != nil {
			return nil, 0, err
		}
		call.Ticket = ticket
		a := n.executeOnce(ctx, call)
		failpoint.Hit(failpoint.TicketBeforeSettle)
		n.tickets.settle(ticket)
		if r, ok := a.Result.(*fsm.Refusal); ok && r.Code == fsm.SessionExpired {
			n.tickets.forget(ticket.Session)
			continue
		}
		return a.Result, a.Index, a.Err
	}
}

// executeOnce sends a call until its answer is learnt. A session that turns out to have expired is reported as such only if the call
// cannot have been carried out.
func (n *Node) executeOnce(ctx context.Context, call fsm.Call) (a batch.Answer) {
	again := false
	err := n.withLeader(ctx, func() error {
		a = n.tryExecute(ctx, call, again)
		if fault.KindOf(a.Err) == fault.Unknown && a.Err != nil && ctx.Err() == nil {
			again = true
			return fault.Wrap(fault.Unavailable, "The outcome is not known yet", a.Err)
		}
		return a.Err
	})
	if r, ok := a.Result.(*fsm.Refusal); ok && again && r.Code == fsm.SessionExpired {
		err = fault.New(fault.Unknown, "The request was sent before, and what became of it is not known any more")
	}
	if err != nil && again {
		err = fault.Wrap(fault.Unknown, "The outcome could not be learnt in time", err)
	}
	if err != nil {
		return batch.Answer{Err: err}
	}
	return a
}

// withLeader repeats try while it fails with fault.Unavailable, each time after who leads may have changed.
func (n *Node) withLeader(ctx context.Context, try func() error) error {
	changed := n.await()
	err := try()
	if err == nil || fault.KindOf(err) != fault.Unavailable {
		return err
	}
	giveUp := time.NewTimer(n.conf.LeaderWait)
	defer giveUp.Stop()
	for {
		select {
		case <-changed:
		case <-time.After(retryPause):
		case <-giveUp.C:
			return err
		case <-n.stopping:
			return errStopping
		case <-ctx.Done():
			return err
		}
		changed = n.await()
		if err = try(); err == nil || fault.KindOf(err) != fault.Unavailable {
			return err
		}
	}
}

// retryPause is how long a request waits before it asks again although no change of leader was seen.
const retryPause = 20 * time.Millisecond

// tryExecute sends the call one way: to our own batcher, or to the leader.
func (n *Node) tryExecute(ctx context.Context, call fsm.Call, again bool) batch.Answer {
	if b := n.batcher.Load(); b != nil {
		return n.executeHere(ctx, b, call, again)
	}
	return n.executeThere(ctx, call, again)
}

func (n *Node) executeHere(ctx context.Context, b *batch.Batcher, call fsm.Call, again bool) batch.Answer {
	if err := n.refuseForRoom(&call, again); err != nil {
		return batch.Answer{Err: err}
	}
	deadline, _ := ctx.Deadline()
	w := n.takeWaiter()
	b.Execute(call, sizeOf(call), again, deadline, w)
	select {
	case a := <-w:
		n.waiters.Put(w)
		failpoint.Hit(failpoint.ReplyBeforeLocal)
		return a
	case <-ctx.Done():
		return batch.Answer{Err: fault.Wrap(fault.Unknown, "The outcome was not known when the deadline passed", ctx.Err())}
	case <-n.stopping:
		return batch.Answer{Err: fault.New(fault.Unknown, "The node stopped before the outcome was known")}
	}
}

// waiter waits for one answer in a goroutine of its own. It goes back to the node's pool only after it was answered.
type waiter chan batch.Answer

// Answer implements batch.Waiter. It never blocks: the channel holds one answer, and there is one.
func (w waiter) Answer(a batch.Answer) { w <- a }

func (n *Node) takeWaiter() waiter {
	if w, ok := n.waiters.Get().(waiter); ok {
		return w
	}
	return make(waiter, 1)
}

// verifySize bounds the encoded size of a plain verification; everything else is measured.
const verifySize = 48

func sizeOf(call fsm.Call) int {
	if c, ok := call.Command.(*fsm.VerifyKey); ok && c.Query == "" && len(c.Ratelimits) == 0 && call.Origin == nil && call.Once == nil {
		return verifySize
	}
	return len(codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{call}}))
}

// executeThere forwards the call to the leader.
func (n *Node) executeThere(ctx context.Context, call fsm.Call, again bool) batch.Answer {
	copies := byte(0)
	if again {
		copies = 1
	}
	payload := codec.AppendBatch(append(n.clusterTag(), copies), fsm.Batch{Calls: []fsm.Call{call}})
	answer, err := n.callLeader(ctx, methodExecute, payload)
	if err != nil {
		return batch.Answer{Err: err}
	}
	index, body, err := cutIndex(answer)
	if err != nil {
		return batch.Answer{Err: fault.Wrap(fault.Unknown, "The leader's answer could not be read", err)}
	}
	r, err := codec.DecodeResult(body)
	if err != nil {
		return batch.Answer{Err: fault.Wrap(fault.Unknown, "The leader's answer could not be read", err)}
	}
	return batch.Answer{Result: r, Index: index}
}

// callLeader sends one call to the present leader and turns what can go wrong into a fault.
func (n *Node) callLeader(ctx context.Context, method byte, payload []byte) ([]byte, error) {
	addr, id := n.raft.LeaderWithID()
	if addr == "" || string(id) == n.id {
		return nil, noLeader
	}
	answer, err := n.pool.Get(n.addressOf(id, addr)).Call(ctx, method, payload)
	if err != nil {
		return nil, faultOfCall(err)
	}
	return answer, nil
}

var noLeader = fault.New(fault.Unavailable, "There is no leader at the moment")

// faultOfCall says what a failed call to the leader means for the request.
func faultOfCall(err error) *fault.Error {
	var code *peer.CodeError
	switch {
	case errors.As(err, &code):
		return faultOfCode(code)
	case errors.Is(err, peer.ErrTooLarge) && peer.NotSent(err):
		return fault.Wrap(fault.TooLarge, "The request is too large to be sent to the leader", err)
	case errors.Is(err, peer.ErrOverloaded):
		return fault.Wrap(fault.Overloaded, "Too many requests are waiting for the leader", err)
	case peer.NotSent(err) && errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.TimedOut, "The deadline passed before the request reached the leader", err)
	case peer.NotSent(err):
		return fault.Wrap(fault.Unavailable, "The leader could not be reached", err)
	default:
		return fault.Wrap(fault.Unknown, "The leader did not answer", err)
	}
}
