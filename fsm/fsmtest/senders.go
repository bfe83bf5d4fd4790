package fsmtest

import (
	"math/rand/v2"
	"time"

	"github.com/creditd/creditd/fsm"
)

// Senders gives calls the call ids that nodes would give them. Sessions come and go. Some calls are retransmitted, in any order, also long
// after they were acknowledged.
type Senders struct {
	rng      *rand.Rand
	sessions []*sender
	ended    []*sender // of nodes that died; copies of their calls may be under way
	opened   uint64    // openings that were sent: the ledger numbers the sessions
	stamp    int64     // the largest that was sent
}

type sender struct {
	id    uint64
	next  uint64
	below uint64
	sent  []fsm.Call
}

// NewSenders returns nodes that behave the same for the same seed.
func NewSenders(seed uint64) *Senders { return &Senders{rng: rand.New(rand.NewPCG(seed, 2))} }

// Send returns the batch with call ids, and now and then with new sessions and retransmissions.
func (n *Senders) Send(b fsm.Batch) fsm.Batch {
	out := fsm.Batch{Stamp: b.Stamp, IdempotencyMaxKeys: b.IdempotencyMaxKeys}
	if silence := b.Stamp - n.stamp; silence > time.Hour.Milliseconds() && n.rng.IntN(5) > 0 { // mostly the nodes notice that theirs ended
		n.ended, n.sessions = append(n.ended, n.sessions...), nil
	}
	n.stamp = max(n.stamp, b.Stamp)
	if len(n.sessions) < 3 && n.rng.IntN(8) == 0 {
		n.open(&out)
		n.sessions = append(n.sessions, &sender{id: n.opened, next: 1, below: 1})
	}
	if n.rng.IntN(20) == 0 { // a late copy of an opening
		n.open(&out)
	}
	if n.rng.IntN(100) == 0 { // the answers get lost
		for range n.rng.IntN(20) {
			n.open(&out)
		}
	}
	if len(n.sessions) > 0 && n.rng.IntN(60) == 0 { // a node dies
		n.ended = append(n.ended, n.sessions[0])
		n.sessions = n.sessions[1:]
	}
	for _, call := range b.Calls {
		out.Calls = append(out.Calls, n.setID(call))
		if again, ok := n.repeat(); ok {
			out.Calls = append(out.Calls, again)
		}
	}
	return out
}

func (n *Senders) open(out *fsm.Batch) {
	n.opened++
	out.Calls = append(out.Calls, fsm.Call{Command: &fsm.OpenSession{Node: "node"}})
}

func (n *Senders) setID(call fsm.Call) fsm.Call {
	if len(n.sessions) == 0 || n.rng.IntN(3) == 0 {
		return call
	}
	s := n.sessions[n.rng.IntN(len(n.sessions))]
	if n.rng.IntN(3) == 0 {
		s.below += n.rng.Uint64N(s.next - s.below + 1)
	}
	call.ID = fsm.CallID{Session: s.id, Seq: s.next, AckedBelow: s.below}
	s.next++
	if n.rng.IntN(500) == 0 {
		call.ID.Seq += fsm.MaxSessionWindow // no node does that
	}
	s.sent = append(s.sent, call)
	return call
}

func (n *Senders) repeat() (fsm.Call, bool) {
	senders := n.sessions
	if n.rng.IntN(8) == 0 {
		senders = n.ended
	}
	if len(senders) == 0 || n.rng.IntN(4) > 0 {
		return fsm.Call{}, false
	}
	s := senders[n.rng.IntN(len(senders))]
	if len(s.sent) == 0 {
		return fsm.Call{}, false
	}
	return s.sent[max(0, len(s.sent)-1-n.rng.IntN(10))], true
}
