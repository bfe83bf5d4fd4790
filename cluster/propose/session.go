package propose

import (
	"context"
	"sync"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store/failpoint"
)

// clientSession numbers this node's commands within a session of the ledger. So any of them can be retransmitted and takes effect exactly
// once (fsm.CallID). It opens a session through the log with the first command, and again when the ledger has expired it.
type clientSession struct {
	open func(ctx context.Context) (id uint64, err error) // opens a session in the ledger, which gives the id

	mu           sync.Mutex
	id           uint64        // guarded by mu: the present session, 0: none
	base         uint64        // guarded by mu: the lowest number that is not acknowledged
	acknowledged []bool        // guarded by mu: of the numbers from base on
	opening      chan struct{} // guarded by mu: closed when an opening under way has ended; nil: none
}

// maxUnacknowledged bounds the commands of this node that wait for an answer; the ledger allows some more.
const maxUnacknowledged = fsm.MaxSessionWindow / 2

// next numbers a command. Every number must be given back by acknowledge.
func (s *clientSession) next(ctx context.Context) (fsm.CallID, error) {
	for {
		s.mu.Lock()
		switch {
		case s.id != 0 && len(s.acknowledged) >= maxUnacknowledged:
			s.mu.Unlock()
			return fsm.CallID{}, tooManyUnacknowledged
		case s.id != 0:
			id := fsm.CallID{Session: s.id, Seq: s.base + uint64(len(s.acknowledged)), AckedBelow: s.base}
			s.acknowledged = append(s.acknowledged, false)
			s.mu.Unlock()
			return id, nil
		case s.opening != nil:
			opening := s.opening
			s.mu.Unlock()
			select {
			case <-opening:
			case <-ctx.Done():
				return fsm.CallID{}, fault.Wrap(fault.TimedOut, "The deadline passed before the request was executed", ctx.Err())
			}
		default:
			s.opening = make(chan struct{})
			s.mu.Unlock()
			if err := s.begin(ctx); err != nil {
				return fsm.CallID{}, err
			}
		}
	}
}

var tooManyUnacknowledged = fault.New(fault.Overloaded, "Too many requests wait for an answer at this node")

// begin opens a session on behalf of everybody who waits for one.
func (s *clientSession) begin(ctx context.Context) error {
	failpoint.Hit(failpoint.SessionBeforeOpen)
	id, err := s.open(ctx)
	failpoint.Hit(failpoint.SessionAfterOpen)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.id, s.base, s.acknowledged = id, 1, nil
	}
	close(s.opening)
	s.opening = nil
	return err
}

// acknowledge says that nobody waits for a command any more, answered or not. A command that was not executed by now never will be.
func (s *clientSession) acknowledge(id fsm.CallID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id.Session != s.id {
		return
	}
	s.acknowledged[id.Seq-s.base] = true
	n := 0
	for n < len(s.acknowledged) && s.acknowledged[n] {
		n++
	}
	s.acknowledged = s.acknowledged[n:]
	s.base += uint64(n)
}

// forget drops a session that the ledger has expired.
func (s *clientSession) forget(session uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == session {
		s.id, s.acknowledged = 0, nil
	}
}

// openSession opens a session in the ledger. It needs no call id: a second copy, however late, opens another session with another id.
func (p *Proposer) openSession(ctx context.Context) (id uint64, err error) {
	call := fsm.Call{Command: &fsm.OpenSession{Node: p.conf.NodeID}}
	err = p.conf.Leader.Retry(ctx, func() error {
		a := p.try(ctx, call, false)
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
