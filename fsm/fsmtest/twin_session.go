package fsmtest

import (
	"fmt"
	"time"

	"github.com/creditd/creditd/fsm"
)

// nodeSession is what exactly-once asks for: the answers of a node's calls, until the node says that it needs them no more.
type nodeSession struct {
	node     string
	used     bool
	lastSeen int64
	below    uint64
	answers  map[uint64]fsm.Replayed
}

// openSession gives the sessions numbers from 1 on. A node may have 16 that it did not use.
func (t *Twin) openSession(c *fsm.OpenSession) fsm.Result {
	t.opened++
	t.sessions[t.opened] = &nodeSession{node: c.Node, lastSeen: t.now, below: 1, answers: map[uint64]fsm.Replayed{}}
	unused := 0
	for id := t.opened; id > 0; id-- {
		s := t.sessions[id]
		if s == nil || s.used || s.node != c.Node {
			continue
		}
		if unused++; unused > 16 {
			delete(t.sessions, id)
		}
	}
	return &fsm.Opened{Session: t.opened}
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
	s.lastSeen, s.used = t.now, true
	s.below = max(s.below, ticket.Below)
	for seq := range s.answers {
		if seq < s.below {
			delete(s.answers, seq)
		}
	}
	if earlier, known := s.answers[ticket.Seq]; known {
		return &earlier
	}
	ticket.Below = 0
	if t.carriedOut[ticket] {
		panic(fmt.Sprintf("fsmtest: the call %+v is carried out a second time", ticket))
	}
	t.carriedOut[ticket] = true
	r := t.apply(call, index)
	s.answers[ticket.Seq] = fsm.Replayed{Result: r, Index: index}
	return r
}
