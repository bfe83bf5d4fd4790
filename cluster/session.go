package cluster

import (
	"context"
	"sync"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store/failpoint"
)

// tickets numbers this node's commands within a session that the ledger knows, so that any of them can be sent again and takes effect
// once (fsm.Ticket). A session is opened through the log with the first command, and again when the ledger has forgotten it.
type tickets struct {
	open func(ctx context.Context) (id uint64, err error) // opens a session in the ledger, which gives the id

	mu      sync.Mutex
	id      uint64        // guarded by mu: the present session, 0: none
	base    uint64        // guarded by mu: the lowest number that is not settled
	settled []bool        // guarded by mu: of the numbers from base on
	opening chan struct{} // guarded by mu: closed when an opening under way has ended; nil: none
}

// maxUnsettled bounds the commands of this node that wait for an answer; the ledger allows some more.
const maxUnsettled = fsm.MaxSessionWindow / 2

// take numbers a command. Every ticket must be given back by settle.
func (t *tickets) take(ctx context.Context) (fsm.Ticket, error) {
	for {
		t.mu.Lock()
		switch {
		case t.id != 0 && len(t.settled) >= maxUnsettled:
			t.mu.Unlock()
			return fsm.Ticket{}, tooManyUnsettled
		case t.id != 0:
			ticket := fsm.Ticket{Session: t.id, Seq: t.base + uint64(len(t.settled)), Below: t.base}
			t.settled = append(t.settled, false)
			t.mu.Unlock()
			return ticket, nil
		case t.opening != nil:
			opening := t.opening
			t.mu.Unlock()
			select {
			case <-opening:
			case <-ctx.Done():
				return fsm.Ticket{}, fault.Wrap(fault.TimedOut, "The deadline passed before the request was executed", ctx.Err())
			}
		default:
			t.opening = make(chan struct{})
			t.mu.Unlock()
			if err := t.begin(ctx); err != nil {
				return fsm.Ticket{}, err
			}
		}
	}
}

var tooManyUnsettled = fault.New(fault.Overloaded, "Too many requests wait for an answer at this node")

// begin opens a session on behalf of everybody who waits for one.
func (t *tickets) begin(ctx context.Context) error {
	failpoint.Hit(failpoint.SessionBeforeOpen)
	id, err := t.open(ctx)
	failpoint.Hit(failpoint.SessionAfterOpen)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.id, t.base, t.settled = id, 1, nil
	}
	close(t.opening)
	t.opening = nil
	return err
}

// settle says that nobody waits for the ticket's command any more, answered or not. If it was not carried out by now it never will.
func (t *tickets) settle(ticket fsm.Ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ticket.Session != t.id {
		return
	}
	t.settled[ticket.Seq-t.base] = true
	n := 0
	for n < len(t.settled) && t.settled[n] {
		n++
	}
	t.settled = t.settled[n:]
	t.base += uint64(n)
}

// forget drops a session that the ledger does not know any more.
func (t *tickets) forget(session uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.id == session {
		t.id, t.settled = 0, nil
	}
}

// openSession opens a session in the ledger. It needs no ticket: a copy that is delivered as well, however late, opens another session,
// with another id.
func (n *Node) openSession(ctx context.Context) (id uint64, err error) {
	call := fsm.Call{Command: &fsm.OpenSession{Node: n.id}}
	err = n.withLeader(ctx, func() error {
		a := n.tryExecute(ctx, call, false)
		if fault.KindOf(a.Err) == fault.Unknown && ctx.Err() == nil {
			return fault.Wrap(fault.Unavailable, "The leader changed while a session was being opened", a.Err)
		}
		if a.Err != nil {
			return a.Err
		}
		opened, ok := a.Result.(*fsm.Opened)
		if !ok {
			return fault.New(fault.Internal, "The ledger opened no session")
		}
		id = opened.Session
		return nil
	})
	return id, err
}
