package fsmtest

import (
	"math/rand/v2"

	"github.com/creditd/creditd/fsm"
)

// Nodes gives calls the tickets that nodes would give them: in sessions that come and go, some of them sent again, in any order, also
// long after they were acknowledged.
type Nodes struct {
	rng      *rand.Rand
	sessions []*sender
	ended    []*sender // of nodes that died; copies of their calls may be under way
	opened   uint64    // openings that were sent: the ledger numbers the sessions
}

type sender struct {
	id    uint64
	next  uint64
	below uint64
	sent  []fsm.Call
}

// NewNodes returns nodes that behave the same for the same seed.
func NewNodes(seed uint64) *Nodes { return &Nodes{rng: rand.New(rand.NewPCG(seed, 2))} }

// Send returns the batch with tickets, and now and then with openings and repetitions.
func (n *Nodes) Send(b fsm.Batch) fsm.Batch {
	out := fsm.Batch{Stamp: b.Stamp, MaxOutcomes: b.MaxOutcomes}
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
		out.Calls = append(out.Calls, n.ticket(call))
		if again, ok := n.repeat(); ok {
			out.Calls = append(out.Calls, again)
		}
	}
	return out
}

func (n *Nodes) open(out *fsm.Batch) {
	n.opened++
	out.Calls = append(out.Calls, fsm.Call{Command: &fsm.OpenSession{Node: "node"}})
}

func (n *Nodes) ticket(call fsm.Call) fsm.Call {
	if len(n.sessions) == 0 || n.rng.IntN(3) == 0 {
		return call
	}
	s := n.sessions[n.rng.IntN(len(n.sessions))]
	if n.rng.IntN(3) == 0 {
		s.below += n.rng.Uint64N(s.next - s.below + 1)
	}
	call.Ticket = fsm.Ticket{Session: s.id, Seq: s.next, Below: s.below}
	s.next++
	if n.rng.IntN(500) == 0 {
		call.Ticket.Seq += fsm.MaxSessionWindow // no node does that
	}
	s.sent = append(s.sent, call)
	return call
}

func (n *Nodes) repeat() (fsm.Call, bool) {
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
