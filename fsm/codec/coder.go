package codec

import (
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fields"
)

// Coder encodes and decodes one value after the other in the same memory. The zero Coder is ready; one goroutine at a time uses it.
type Coder struct {
	visitor       fields.Visitor // values take it through the methods of an interface, so each would be on the heap
	calls         []fsm.Call     // of the last batch that was decoded
	verifications fsm.Verifications
}

// maxKeptCalls is how many calls a coder has room for between batches: those of a full entry.
const maxKeptCalls = 4096

func (c *Coder) writer(buf []byte) *fields.Visitor {
	c.visitor = fields.MakeWriter(buf)
	return &c.visitor
}

func (c *Coder) reader(data []byte) *fields.Visitor {
	c.visitor = fields.MakeReader(data)
	return &c.visitor
}

// rest lets go of the bytes.
func (c *Coder) rest() { c.visitor = fields.Visitor{} }

// Forget lets go of the last batch that was decoded.
func (c *Coder) Forget() {
	clear(c.calls)
	if c.calls = c.calls[:0]; cap(c.calls) > maxKeptCalls {
		c.calls = nil
	}
	c.verifications.Reset()
}
