package cluster

import (
	"context"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// Answer answers a query linearizably: it sees every change that was answered anywhere before it was asked.
//
// Errors are *fault.Error, and never fault.Unknown: a query changes nothing.
func (n *Node) Answer(ctx context.Context, actor fsm.Hash, q fsm.Query) (fsm.Result, uint64, error) {
	var index uint64
	if err := n.withLeader(ctx, func() (err error) {
		index, err = n.readIndex(ctx)
		return err
	}); err != nil {
		return nil, 0, err
	}
	return n.AnswerStale(ctx, actor, q, index)
}

// AnswerStale answers a query from this node's ledger once it has applied minIndex.
func (n *Node) AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (r fsm.Result, index uint64, err error) {
	r, index, err = n.replica.Answer(ctx, actor, q, minIndex)
	if err != nil {
		return nil, 0, fault.Wrap(fault.TimedOut, "This node has not applied the index that the request waits for", err)
	}
	return r, index, nil
}

// readIndex returns an index such that a ledger which has applied it is fresh enough for a read that arrived before the call.
func (n *Node) readIndex(ctx context.Context) (uint64, error) {
	b := n.batcher.Load()
	if b == nil {
		index, err := n.rounds.join(ctx)
		if err != nil && ctx.Err() != nil {
			return 0, fault.Wrap(fault.TimedOut, "The deadline passed before the leader confirmed the read", err)
		}
		return index, err
	}
	deadline, _ := ctx.Deadline()
	w := n.takeWaiter()
	b.Read(deadline, w)
	select {
	case a := <-w:
		n.waiters.Put(w)
		return a.Index, a.Err
	case <-ctx.Done():
		return 0, fault.Wrap(fault.TimedOut, "The deadline passed before the read was confirmed", ctx.Err())
	}
}

// roundTimeout bounds one question to the leader.
const roundTimeout = 5 * time.Second

// askReadIndex asks the leader for a read index on behalf of everyone who waits here.
func (n *Node) askReadIndex() (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), roundTimeout)
	defer cancel()
	answer, err := n.callLeader(ctx, methodReadIndex, n.clusterTag())
	if err != nil {
		if fault.KindOf(err) == fault.Unknown || fault.KindOf(err) == fault.TimedOut {
			return 0, fault.Wrap(fault.Unavailable, "The leader did not confirm the read", err)
		}
		return 0, err
	}
	index, _, err := cutIndex(answer)
	if err != nil {
		return 0, fault.Wrap(fault.Internal, "The leader's answer could not be read", err)
	}
	return index, nil
}
