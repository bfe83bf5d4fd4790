package codec

import "github.com/creditd/creditd/fsm"

// originKind stands before the kind of a command that carries its origin.
const originKind byte = 90

// auditEntriesKind is a result kind.
const auditEntriesKind byte = 90

// call codes a command and its origin. A command without one is no longer for it.
func (c *coder) call(p *fsm.Call, verifications *slab) {
	if c.reading && len(c.buf) > 0 && c.buf[0] == originKind {
		c.buf = c.buf[1:]
		p.Origin = new(fsm.Origin)
	}
	if p.Origin != nil {
		c.kind(originKind)
		c.origin(p.Origin)
	}
	c.command(&p.Command, verifications)
}

func (c *coder) origin(o *fsm.Origin) {
	c.string(&o.RequestID)
	c.string(&o.RemoteAddr)
	c.string(&o.UserAgent)
}

func (c *coder) auditRecord(r *fsm.AuditRecord) {
	c.string(&r.WorkspaceID)
	c.int(&r.Number)
	c.auditEntry(&r.Entry)
}

func (c *coder) auditEntry(e *fsm.AuditEntry) {
	c.uint(&e.Index)
	c.int(&e.Time)
	known(c, &e.Event)
	c.string(&e.ActorID)
	c.string(&e.ActorName)
	stated := e.Origin != nil
	if c.bool(&stated); stated && c.err == nil {
		if c.reading {
			e.Origin = new(fsm.Origin)
		}
		c.origin(e.Origin)
	}
	list(c, &e.Resources, c.auditResource)
	c.int(&e.Omitted)
	list(c, &e.Balances, c.auditBalance)
}

func (c *coder) auditResource(r *fsm.AuditResource) {
	known(c, &r.Type)
	c.string(&r.ID)
}

func (c *coder) auditBalance(b *fsm.AuditBalance) {
	c.auditResource(&b.Owner)
	for _, side := range []*fsm.Balance{&b.Before, &b.After} {
		c.bool(&side.Limited)
		c.int(&side.Remaining)
	}
}
