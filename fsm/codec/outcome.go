package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// onceKind stands in the place of a command's kind where a name for the call precedes it.
const onceKind byte = 81

// repeatedKind is the kind of the result.
const repeatedKind byte = 81

// once codes the name of a call, if it has one. Without one it takes no byte, and next to no time.
func (c *coder) once(p **fsm.Idempotency) {
	if *p != nil || c.reading && len(c.buf) > 0 && c.buf[0] == onceKind {
		c.name(p)
	}
}

func (c *coder) name(p **fsm.Idempotency) {
	if c.reading {
		c.buf = c.buf[1:]
		*p = new(fsm.Idempotency)
	}
	c.named = true
	c.kind(onceKind)
	c.short(&(*p).Name)
	c.short(&(*p).Request)
}

func (c *coder) short(p *fsm.Short) {
	if !c.reading {
		c.buf = append(c.buf, p[:]...)
		return
	}
	if len(c.buf) < len(p) {
		c.fail(errShort)
		return
	}
	c.buf = c.buf[copy(p[:], c.buf):]
}

func (c *coder) repeated(m *fsm.Repeated) {
	c.uint(&m.Index)
	c.kept(&m.Result)
}

// kept codes a result that is kept for a name: of a kind that can be.
func (c *coder) kept(p *fsm.Result) {
	if c.reading && len(c.buf) > 0 && (c.buf[0] == repeatedKind || c.buf[0] == refusalKind) {
		c.fail(fmt.Errorf("a result of kind %d is kept for a name", c.buf[0]))
		return
	}
	c.result(p)
}

func (c *coder) outcomeRecord(r *fsm.OutcomeRecord) {
	c.string(&r.WorkspaceID)
	c.short(&r.Name)
	c.short(&r.Request)
	c.int(&r.At)
	c.uint(&r.Index)
	c.kept(&r.Result)
}
