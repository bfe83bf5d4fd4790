package fsmtest

import (
	"time"

	"github.com/creditd/creditd/fsm"
)

// nodeSession is what exactly-once asks for: the answers of a node's calls, until the node says that it needs them no more.
type nodeSession struct {
	id       uint64
	lastSeen int64
	below    uint64
	answers  map[uint64]fsm.Replayed
}

func (t *Twin) openSession(c *fsm.OpenSession) fsm.Result {
	if t.sessions[c.ID] == nil {
		t.sessions[c.ID] = &nodeSession{id: c.ID, lastSeen: t.now, below: 1, answers: map[uint64]fsm.Replayed{}}
	}
	return &fsm.Done{}
}

func (t *Twin) endSilentSessions() {
	for id, s := range t.sessions {
		if t.now > s.lastSeen+time.Hour.Milliseconds() {
			delete(t.sessions, id)
		}
	}
}

func (t *Twin) exactlyOnce(call fsm.Call, index uint64) fsm.Result {
	ticket := call.Ticket
	if ticket.Session == 0 {
		return t.apply(call, index)
	}
	s := t.sessions[ticket.Session]
	if s == nil || ticket.Seq < s.below || ticket.Seq >= max(s.below, ticket.Below)+fsm.MaxSessionWindow {
		return refusal(fsm.SessionExpired)
	}
	s.lastSeen = t.now
	s.below = max(s.below, ticket.Below)
	for seq := range s.answers {
		if seq < s.below {
			delete(s.answers, seq)
		}
	}
	if earlier, known := s.answers[ticket.Seq]; known {
		return &earlier
	}
	r := t.apply(call, index)
	s.answers[ticket.Seq] = fsm.Replayed{Result: r, Index: index}
	return r
}
