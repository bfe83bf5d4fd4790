package propose

import (
	"context"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/store/failpoint"
)

// ReadIndex is how a follower asks the leader for a read index.
var ReadIndex = rpc.Method[rpc.Nothing, uint64]{
	Number: 2, Name: "read index", OfCluster: true, OfMembers: true, Request: rpc.Empty, Answer: rpc.Index,
}

// readIndexTimeout bounds one question to the leader.
const readIndexTimeout = 5 * time.Second

// askReadIndex asks the leader on behalf of everyone who waits here.
func (p *Proposer) askReadIndex() (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readIndexTimeout)
	defer cancel()
	index, err := leader.Call(ctx, p.conf.Leader, &ReadIndex, rpc.Nothing{})
	if kind := fault.KindOf(err); err != nil && (kind == fault.Unknown || kind == fault.TimedOut) {
		return 0, fault.Wrap(fault.Unavailable, "The leader did not confirm the read", err)
	}
	return index, err
}

// ServeReadIndex answers with the index of an entry that is proposed from now on.
func (p *Proposer) ServeReadIndex(c rpc.Caller, _ rpc.Nothing, reply rpc.Reply[uint64]) {
	b := p.batcher.Load()
	if b == nil {
		reply(0, notServing)
		return
	}
	b.Read(c.Deadline, readWaiter(reply))
}

// readWaiter answers the follower that asked for a read index.
type readWaiter rpc.Reply[uint64]

// Answer implements batch.Waiter.
func (w readWaiter) Answer(a batch.Answer) {
	failpoint.Hit(failpoint.ReplyBeforeForwarded)
	w(a.Index, a.Err)
}

// readIndexRounds shares one question among all who want it answered. A waiter that arrives while a question is in flight waits for the
// next one. So every answer belongs to a question that was asked after the waiter arrived.
type readIndexRounds struct {
	ask func() (uint64, error)

	mu      sync.Mutex
	running bool            // guarded by mu
	next    *readIndexRound // guarded by mu: the round that has not been asked yet
}

type readIndexRound struct {
	done  chan struct{}
	index uint64 // valid once done is closed
	err   error  // likewise
}

// join waits for the answer of a question that is asked from now on.
func (r *readIndexRounds) join(ctx context.Context) (uint64, error) {
	r.mu.Lock()
	if r.next == nil {
		r.next = &readIndexRound{done: make(chan struct{})}
	}
	mine := r.next
	if !r.running {
		r.running = true
		go r.run()
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
		return mine.index, mine.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// run asks until nobody waits.
func (r *readIndexRounds) run() {
	for {
		r.mu.Lock()
		current := r.next
		r.next = nil
		if current == nil {
			r.running = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		current.index, current.err = r.ask()
		close(current.done)
	}
}
