package propose

import (
	"context"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// Answer answers a query linearizably: it sees every change that was answered anywhere before it was asked.
//
// Errors are *fault.Error, and never fault.Unknown: a query changes nothing.
func (p *Proposer) Answer(ctx context.Context, actor fsm.Hash, q fsm.Query) (fsm.Result, uint64, error) {
	var index uint64
	if err := p.conf.Leader.Retry(ctx, func() (err error) {
		index, err = p.getReadIndex(ctx)
		return err
	}); err != nil {
		return nil, 0, err
	}
	return p.answerAt(ctx, actor, q, index)
}

// AnswerStale answers a query from this node's ledger once it has applied minIndex. If the leader says that the cluster has not come so far,
// nobody waits for it: strangers could hold all connections that way.
func (p *Proposer) AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error) {
	if minIndex <= p.conf.Ledger.Index() {
		return p.answerAt(ctx, actor, q, minIndex)
	}
	index, err := p.getReadIndex(ctx)
	if err != nil || minIndex <= index { // without a leader nobody knows
		return p.answerAt(ctx, actor, q, minIndex)
	}
	r, index, err := p.answerAt(ctx, actor, &fsm.Authorize{}, index)
	if refusal, ok := r.(*fsm.Refusal); err != nil || ok && refusal.Code != fsm.InsufficientPermissions {
		return r, index, err
	}
	return nil, 0, fault.New(fault.TimedOut, "The cluster has not reached the index that the request waits for")
}

// answerAt waits for the index.
func (p *Proposer) answerAt(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error) {
	r, index, err := p.conf.Ledger.Answer(ctx, actor, q, minIndex)
	if err != nil {
		return nil, 0, fault.Wrap(fault.TimedOut, "This node has not applied the index that the request waits for", err)
	}
	return r, index, nil
}

// getReadIndex returns an index such that a ledger which has applied it is fresh enough for a read that arrived before the call.
func (p *Proposer) getReadIndex(ctx context.Context) (uint64, error) {
	b := p.batcher.Load()
	if b == nil {
		index, err := p.readIndex.join(ctx)
		if err != nil && ctx.Err() != nil {
			return 0, fault.Wrap(fault.TimedOut, "The deadline passed before the leader confirmed the read", err)
		}
		return index, err
	}
	deadline, _ := ctx.Deadline()
	w := p.takeWaiter()
	b.Read(deadline, w)
	select {
	case a := <-w:
		p.waiters.Put(w)
		return a.Index, a.Err
	case <-ctx.Done():
		return 0, fault.Wrap(fault.TimedOut, "The deadline passed before the read was confirmed", ctx.Err())
	}
}
