package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store/failpoint"
)

// followLeadership starts and ends what only a leader does. raft blocks while nobody takes its notices, so each term's work runs in
// a goroutine of its own.
func (n *Node) followLeadership() {
	var end func()
	stop := func() {
		if end != nil {
			end()
			end = nil
		}
	}
	defer stop()
	for {
		select {
		case leads := <-n.leadership:
			stop()
			if leads {
				end = n.lead()
			}
			n.wakeWaiting()
		case <-n.stopping:
			return
		}
	}
}

// lead starts the work of one term and returns the function that ends it and waits for its end.
func (n *Node) lead() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.term(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// term is one term of leadership. Nothing is served before a barrier of this term has been applied, so that the ledger holds
// everything that earlier leaders committed, nor while this node's clock is not to be trusted.
func (n *Node) term(ctx context.Context) {
	failpoint.Hit(failpoint.TermGained)
	for n.caughtUp(ctx) && n.awaitClock(ctx) {
		serving, cancel := context.WithCancel(ctx)
		guarded := make(chan struct{})
		go func() {
			defer close(guarded)
			n.guardTerm(serving, cancel)
		}()
		n.serveTerm(serving)
		cancel()
		<-guarded
		n.pause(ctx)
	}
}

// pause waits a moment before something is tried again, and reports whether ctx goes on.
func (n *Node) pause(ctx context.Context) bool {
	select {
	case <-time.After(retryPause):
		return true
	case <-ctx.Done():
		return false
	}
}

// serveTerm serves until ctx ends, or until it turns out that this cannot be done yet.
func (n *Node) serveTerm(ctx context.Context) {
	log := entryLog{raft: n.raft, stamp: n.clocks.guard.Stamp, proposed: &n.proposed, maxOutcomes: n.conf.MaxOutcomes}
	b := batch.New(n.conf.Batch, log, n.peek)
	// raft fails what is in flight when it steps down; after a shutdown it may not, hence Abandon.
	defer func() {
		n.batcher.CompareAndSwap(b, nil)
		select {
		case <-n.stopping:
			b.Abandon()
		default:
			b.Close()
		}
	}()
	if !n.bootstrapLedger(ctx, b) {
		return
	}
	n.batcher.Store(b)
	failpoint.Hit(failpoint.TermServing)
	n.wakeWaiting()
	n.log.Info("this node leads")
	var comparing sync.WaitGroup
	comparing.Go(func() { n.watchDivergence(ctx) })
	defer comparing.Wait()
	n.keepMembership(ctx)
}

// caughtUp waits until everything of earlier terms is applied here. raft may refuse the barrier to a leader that goes on to lead: it
// does while a transfer of leadership, even of an earlier term, is under way. So only the end of the term ends the attempts.
func (n *Node) caughtUp(ctx context.Context) bool {
	for {
		barrier := n.raft.Barrier(0)
		done := make(chan error, 1)
		go func() { done <- barrier.Error() }()
		select {
		case err := <-done:
			if err == nil {
				return true
			}
			n.log.Debug("everything is not applied yet", "err", err)
		case <-ctx.Done():
			return false
		}
		if !n.pause(ctx) {
			return false
		}
	}
}

// bootstrapLedger gives an empty ledger its cluster id, workspace and root key.
func (n *Node) bootstrapLedger(ctx context.Context, b *batch.Batcher) bool {
	if n.clusterID() != "" {
		return true
	}
	w := make(waiter, 1)
	call := fsm.Call{Command: &n.conf.Founding}
	b.Execute(call, sizeOf(call), false, time.Time{}, w)
	select {
	case a := <-w:
		failpoint.Hit(failpoint.LedgerFounded)
		if a.Err != nil {
			n.log.Warn("the ledger could not be founded", "err", a.Err)
			return false
		}
	case <-ctx.Done():
		return false
	}
	ours := n.clusterID() == n.conf.Founding.ClusterID
	n.mu.Lock()
	n.founded = ours
	n.mu.Unlock()
	if ours {
		n.log.Info("founded a new ledger", "cluster", n.conf.Founding.ClusterID)
	}
	return true
}

func (n *Node) clusterID() string { return n.replica.ClusterID() }

// otherVoters counts the voters besides this node.
func (n *Node) otherVoters() int {
	count := 0
	for _, s := range n.servers() {
		if s.Suffrage == raft.Voter && string(s.ID) != n.id {
			count++
		}
	}
	return count
}

// servers returns raft's present configuration, none if it cannot be had because raft is stopping.
func (n *Node) servers() []raft.Server {
	f := n.raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}
