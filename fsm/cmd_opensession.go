package fsm

import "github.com/creditd/creditd/fsm/fields"

// OpenSession opens a session. The result is Opened. A second copy opens another session, which nobody uses. Nodes send it, never clients.
type OpenSession struct {
	Node string // the node that opens the session
}

var openSessionType = commandType{kind: 70, since: 1, system: true, create: create[OpenSession]}

func (*OpenSession) is() *commandType { return &openSessionType }

func (c *OpenSession) fields(v *fields.Visitor) {
	v.String(&c.Node)
}

// apply assigns an id that no session had before. A delayed call must not reach a new session, or it would be executed again.
func (c *OpenSession) apply(s *State, _ *rootKey) Result {
	s.opened++
	n := &session{id: s.opened, node: c.Node, lastSeen: s.clock, base: 1}
	s.addSession(n)
	s.endOldestUnused(c.Node)
	return &Opened{Session: n.id}
}
