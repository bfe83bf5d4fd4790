package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Batch is the content of one log entry.
type Batch struct {
	// Stamp is the leader's wall clock when it proposed the entry, in Unix milliseconds. Log time never runs backwards:
	// Apply uses the larger of it and the previous log time.
	Stamp int64
	// Index is the log index of the entry. It is not part of the entry: whoever applies it knows.
	Index uint64
	// IdempotencyMaxKeys bounds the outcomes that are kept for calls with idempotency keys, where a large one counts as many; 0: no bound. The
	// leader's own setting.
	IdempotencyMaxKeys uint64
	Calls              []Call
}

// Call is one command and the root key in whose name it is sent.
type Call struct {
	// Actor is the hash of the caller's root key. Zero for commands of the cluster itself.
	Actor   Hash
	Command Command
	ID      CallID
	// Origin is for commands that leave an audit entry: see EventOf. Others are sent without one, to keep them short.
	Origin      *Origin
	Idempotency *Idempotency // nil: the call stands for itself
}

// CallID identifies a call, so that a node may send it again after any failure and it takes effect once. The zero ticket promises
// nothing.
type CallID struct {
	Session    uint64
	Seq        uint64 // counts the session's calls
	AckedBelow uint64 // every call with a smaller number was answered or given up; at most Seq
}

// Command is a change that a caller asks for. Each has a file of its own, and a row in the registry.
type Command interface {
	is() *commandType
	fields(v *fields.Visitor)
	// apply carries the command out: it checks everything before it writes anything. root is the authenticated caller, nil for a
	// command of the cluster itself.
	apply(s *State, root *rootKey) Result
}

// commandType is what all commands of a type have in common.
type commandType struct {
	kind   byte   // in logs and between nodes; never used again
	since  uint64 // the ledger version that the type came with
	newest uint64 // the ledger version that its youngest field came with; 0: none was added
	event  Event  // of its audit entry
	// unaudited: it leaves no audit entry, because it is counted instead.
	unaudited bool
	system    bool // sent by nodes for themselves: without a root key, without an audit entry
	create    func(v *fields.Visitor) Command
}

func create[T any, P interface {
	*T
	Command
}](*fields.Visitor) Command {
	return P(new(T))
}

// EventOf says which event a command is.
func EventOf(c Command) Event { return c.is().event }

// Requires returns the ledger version that a command needs.
func Requires(c Command) uint64 {
	if !commandsEvolve {
		return c.is().since
	}
	v := fields.NewVersionFinder(true)
	visitCommand(&c, &v)
	return v.Need()
}

// visitCommand visits the kind, the form and the fields of a command.
func visitCommand(p *Command, v *fields.Visitor) {
	kind, form := v.Form()
	if v.Reading() {
		readCommand(p, v)
	} else if finds, deep := v.FindsVersion(); !finds {
		writeCommand(*p, v)
	} else if deep {
		v.Needs((*p).is().since)
		(*p).fields(v)
	}
	v.SetForm(kind, form)
}

func writeCommand(c Command, v *fields.Visitor) {
	t := c.is()
	if commandTypes[t.kind] == nil {
		panic(fmt.Sprintf("fsm: command type %T is not registered", c))
	}
	writeForm(v, t.kind, oldestForm(c, t.since, t.newest))
	c.fields(v)
}

func readCommand(p *Command, v *fields.Visitor) {
	kind := readForm(v, "a command")
	t := commandTypes[kind]
	if t == nil {
		v.Fail(fmt.Errorf("command of unknown kind %d", kind))
		return
	}
	*p = t.create(v)
	(*p).fields(v)
	_, form := v.Form()
	checkOldest(v, *p, form, t.since, t.newest)
}

// originMark stands before the kind of a command that carries its origin.
const originMark byte = 90

// Visit visits the idempotency key, the origin and the command of a call. What is not there takes no byte. Actor and ticket are those of
// the batch: see package codec.
func (c *Call) Visit(v *fields.Visitor) {
	visitIdempotency(&c.Idempotency, v)
	if mark, ok := v.Peek(); ok && mark == originMark {
		v.Skip()
		c.Origin = new(Origin)
		c.Origin.fields(v)
	} else if c.Origin != nil {
		mark = originMark
		v.Byte(&mark)
		c.Origin.fields(v)
	}
	visitCommand(&c.Command, v)
}

// idempotencyMark stands in the place of a command's kind where an idempotency key precedes it.
const idempotencyMark byte = 81

func visitIdempotency(p **Idempotency, v *fields.Visitor) {
	if mark, ok := v.Peek(); ok && mark == idempotencyMark {
		v.Skip()
		*p = new(Idempotency)
	} else if *p == nil || v.Reading() {
		return
	} else {
		mark = idempotencyMark
		v.Byte(&mark)
	}
	v.Idempotent = true
	(*p).Key.fields(v)
	(*p).Fingerprint.fields(v)
}
