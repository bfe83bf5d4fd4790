package fsm

import "github.com/creditd/creditd/fsm/fields"

// OpenSession begins a session, and is answered with Opened. A second copy opens another session, which nobody uses. Sent by nodes for
// themselves, never for a client.
type OpenSession struct {
	Node string // who asks
}

var openSessionType = commandType{kind: 70, since: 1, system: true, create: create[OpenSession]}

func (*OpenSession) is() *commandType { return &openSessionType }

func (c *OpenSession) fields(v *fields.Visitor) {
	v.String(&c.Node)
}

// apply gives an id that no session had, so that nothing that is delivered late can revive one that has ended: its calls would
// be carried out again.
func (c *OpenSession) apply(s *State, _ *rootKey) Result {
	s.opened++
	n := &session{id: s.opened, node: c.Node, lastSeen: s.clock, base: 1}
	s.addSession(n)
	s.endOldestUnused(c.Node)
	return &Opened{Session: n.id}
}
