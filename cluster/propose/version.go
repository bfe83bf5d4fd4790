package propose

import (
	"context"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// refuseUnready refuses a command that needs a newer ledger version than the cluster has: nodes with an older build could not read it. A
// nil refusal lets it pass. Every node may be behind with the version, so a no is given only once this node is up to date. The ledger
// itself refuses, because a caller that it does not know must learn nothing else.
func (p *Proposer) refuseUnready(ctx context.Context, call fsm.Call) (*fsm.Refusal, uint64, error) {
	need := fsm.Requires(call.Command)
	if need <= fsm.OldestLedgerVersion || need <= p.conf.Ledger.LedgerVersion() {
		return nil, 0, nil // without an allocation: every debit passes here
	}
	return p.refuseUpToDate(ctx, call, need)
}

func (p *Proposer) refuseUpToDate(ctx context.Context, call fsm.Call, need uint64) (*fsm.Refusal, uint64, error) {
	var index uint64
	if err := p.conf.Leader.Retry(ctx, func() (err error) {
		index, err = p.getReadIndex(ctx)
		return err
	}); err != nil {
		return nil, 0, err
	}
	if err := p.conf.Ledger.Applied(ctx, index); err != nil {
		return nil, 0, fault.Wrap(fault.TimedOut, "This node has not applied the index that the request waits for", err)
	}
	result, _ := p.conf.Ledger.Peek(&call, true)
	refusal, refused := result.(*fsm.Refusal)
	if !refused {
		return nil, 0, nil
	}
	if refusal.Code == fsm.LedgerVersionTooLow {
		refusal.Detail += ": " + p.conf.Behind(need)
	}
	return refusal, index, nil
}

// RaiseLedgerVersion raises the ledger version. Only a node that serves as the leader can.
func (p *Proposer) RaiseLedgerVersion(ctx context.Context, c *fsm.RaiseLedgerVersion) error {
	b := p.batcher.Load()
	if b == nil {
		return notServing
	}
	return p.executeHere(ctx, b, fsm.Call{Command: c}, false).Err
}
