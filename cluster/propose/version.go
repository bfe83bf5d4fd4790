package propose

import (
	"context"
	"fmt"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// refuseUnready refuses a command that needs a newer ledger version than the cluster has: nodes with an older build could not read it. A
// nil refusal lets it pass. Every node may be behind with the version, so a no is given only once this node is up to date.
func (p *Proposer) refuseUnready(ctx context.Context, c fsm.Command) (*fsm.Refusal, uint64, error) {
	need := fsm.Requires(c)
	if need <= fsm.OldestLedgerVersion || need <= p.conf.Ledger.LedgerVersion() {
		return nil, 0, nil
	}
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
	version := p.conf.Ledger.LedgerVersion()
	if need <= version {
		return nil, 0, nil
	}
	return &fsm.Refusal{
		Code:   fsm.LedgerVersionTooLow,
		Detail: fmt.Sprintf("The request needs ledger version %d, and the cluster has %d: %s", need, version, p.conf.Behind(need)),
	}, index, nil
}

// RaiseLedgerVersion raises the ledger version. Only a node that serves as the leader can.
func (p *Proposer) RaiseLedgerVersion(ctx context.Context, c *fsm.RaiseLedgerVersion) error {
	b := p.batcher.Load()
	if b == nil {
		return notServing
	}
	return p.executeHere(ctx, b, fsm.Call{Command: c}, false).Err
}
