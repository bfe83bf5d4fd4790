package propose

import (
	"context"
	"fmt"
	"time"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/fsm"
)

// Term is a time in which this node leads and proposes.
type Term struct {
	proposer *Proposer
	batcher  *batch.Batcher
}

// Begin starts a term. Commands reach it after Serve. End must be called.
func (p *Proposer) Begin() *Term {
	log := &entryLog{raft: p.conf.Raft, stamp: p.conf.Fitness.Stamp, counts: &p.counts, proposing: p.conf.Proposing, idempotencyMaxKeys: p.conf.IdempotencyMaxKeys}
	return &Term{proposer: p, batcher: batch.New(p.conf.Batch, log, batch.Ledger{
		Peek: p.peek, Workspace: p.conf.Ledger.Workspace,
		Examine: func(call *fsm.Call, retransmission bool) (bool, fsm.Work) {
			return p.examine(call, retransmission, anyWork)
		},
	})}
}

// Bootstrap gives an empty ledger its cluster id, workspace and root key. Another node's earlier bootstrap stands.
func (t *Term) Bootstrap(ctx context.Context, command *fsm.Bootstrap) error {
	w := make(waiter, 1)
	call := fsm.Call{Command: command}
	t.batcher.Execute(call, sizeOf(call), false, time.Time{}, w)
	select {
	case a := <-w:
		if a.Err != nil {
			return fmt.Errorf("bootstrap the ledger: %w", a.Err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Serve lets commands in.
func (t *Term) Serve() {
	t.proposer.batcher.Store(t.batcher)
	t.proposer.conf.Leader.Wake()
}

// End answers everybody who waits. raft fails what is in flight when it steps down; after a shutdown it may never answer.
func (t *Term) End() {
	t.proposer.batcher.CompareAndSwap(t.batcher, nil)
	select {
	case <-t.proposer.conf.Stopping:
		t.batcher.Abandon()
	default:
		t.batcher.Close()
	}
}
