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
	answers  map[uint64]fsm.Retransmitted
}

// openSession gives the sessions numbers from 1 on. A node may have 16 that it did not use.
func (t *Model) openSession(c *fsm.OpenSession) fsm.Result {
	t.opened++
	t.sessions[t.opened] = &nodeSession{node: c.Node, lastSeen: t.now, below: 1, answers: map[uint64]fsm.Retransmitted{}}
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

func (t *Model) endSilentSessions() {
	for id, s := range t.sessions {
		if t.now > s.lastSeen+time.Hour.Milliseconds() {
			delete(t.sessions, id)
		}
	}
}

func (t *Model) applyInSession(call fsm.Call, index uint64) fsm.Result {
	id := call.ID
	if id.Session == 0 {
		return t.apply(call, index)
	}
	s := t.sessions[id.Session]
	if s == nil || id.Seq < s.below || id.Seq >= max(s.below, id.AckedBelow)+fsm.MaxSessionWindow {
		return refusal(fsm.SessionExpired)
	}
	s.lastSeen, s.used = t.now, true
	s.below = max(s.below, id.AckedBelow)
	for seq := range s.answers {
		if seq < s.below {
			delete(s.answers, seq)
		}
	}
	if earlier, known := s.answers[id.Seq]; known {
		return &earlier
	}
	id.AckedBelow = 0
	if t.applied[id] {
		panic(fmt.Sprintf("fsmtest: the call %+v is carried out a second time", id))
	}
	t.applied[id] = true
	r := t.apply(call, index)
	s.answers[id.Seq] = fsm.Retransmitted{Result: r, Index: index}
	return r
}
