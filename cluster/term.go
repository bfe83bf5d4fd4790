package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fitness"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/upgrade"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store/failpoint"
)

// terms runs what only a leader does, for each term of this node.
type terms struct {
	log        *slog.Logger
	notify     <-chan bool // raft's: true when this node was elected, false when it stepped down
	raft       *raft.Raft
	replica    *replica.Replica
	founding   *fsm.Bootstrap
	leader     *leader.Finder
	fitness    *fitness.Monitor
	comparer   *fitness.Comparer
	proposer   *propose.Proposer
	raiser     *upgrade.Raiser
	reconciler *membership.Reconciler // nil on a node without gossip

	bootstrapped atomic.Bool // this process bootstrapped the ledger, with its own founding
}

// follow starts and ends terms until ctx ends. raft blocks while nobody takes its notices, so each term runs in a goroutine of its own.
func (t *terms) follow(ctx context.Context) {
	end := func() {}
	defer func() { end() }()
	for {
		select {
		case leads := <-t.notify:
			end()
			end = func() {}
			if leads {
				end = t.begin(ctx)
			}
			t.leader.Wake()
		case <-ctx.Done():
			return
		}
	}
}

// begin starts a term and returns the function that ends it and waits for its end.
func (t *terms) begin(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var ended sync.WaitGroup
	ended.Go(func() { t.run(ctx) })
	return func() {
		cancel()
		ended.Wait()
	}
}

// run is one term of leadership. The leader serves nothing before a barrier of this term is applied: then the ledger holds every earlier
// committed entry. Nor does it serve while its clock cannot be trusted.
func (t *terms) run(ctx context.Context) {
	failpoint.Hit(failpoint.TermGained)
	for t.catchUp(ctx) && t.fitness.AwaitClock(ctx) {
		serving, cancel := context.WithCancel(ctx)
		var watched sync.WaitGroup
		watched.Go(func() { t.fitness.Watch(serving, cancel) })
		t.serve(serving)
		cancel()
		watched.Wait()
		leader.Backoff(ctx)
	}
}

// serve serves until ctx ends, or until it turns out that this cannot be done yet.
func (t *terms) serve(ctx context.Context) {
	term := t.proposer.Begin()
	defer term.End()
	if t.replica.ClusterID() == "" && !t.bootstrap(ctx, term) {
		return
	}
	term.Serve()
	failpoint.Hit(failpoint.TermServing)
	t.log.Info("this node leads")
	var background sync.WaitGroup
	background.Go(func() { t.comparer.Run(ctx) })
	background.Go(func() { t.raiser.Run(ctx) })
	defer background.Wait()
	if t.reconciler == nil {
		<-ctx.Done()
		return
	}
	t.reconciler.Run(ctx)
}

// bootstrap gives an empty ledger its cluster id, workspace and root key.
func (t *terms) bootstrap(ctx context.Context, term *propose.Term) bool {
	if err := term.Bootstrap(ctx, t.founding); err != nil {
		if ctx.Err() == nil {
			t.log.Warn("the ledger could not be bootstrapped", "err", err)
		}
		return false
	}
	failpoint.Hit(failpoint.LedgerFounded)
	ours := t.replica.ClusterID() == t.founding.ClusterID
	t.bootstrapped.Store(ours)
	if ours {
		t.log.Info("bootstrapped a new ledger", "cluster", t.founding.ClusterID)
	}
	return true
}

// catchUp waits until this node has applied every entry of earlier terms. raft may refuse the barrier to a leader that stays leader: while
// a transfer of leadership is in progress, even one of an earlier term. So only the end of the term ends the attempts.
func (t *terms) catchUp(ctx context.Context) bool {
	for {
		barrier := t.raft.Barrier(0)
		done := make(chan error, 1)
		go func() { done <- barrier.Error() }()
		select {
		case err := <-done:
			if err == nil {
				return true
			}
			t.log.Debug("not everything is applied yet", "err", err)
		case <-ctx.Done():
			return false
		}
		if !leader.Backoff(ctx) {
			return false
		}
	}
}
