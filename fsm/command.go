package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Batch is the content of one log entry.
type Batch struct {
	// Stamp is the leader's wall clock when it proposed the entry, in Unix milliseconds. Log time never runs backwards: Apply uses the
	// larger of the stamp and the previous log time.
	Stamp int64
	// Index is the log index of the entry. It is not part of the encoded entry; the node that applies the entry sets it.
	Index uint64
	// IdempotencyMaxKeys is the capacity of the idempotency store. A large answer weighs more than 1. It is the leader's setting; 0: no
	// limit.
	IdempotencyMaxKeys uint64
	Calls              []Call
}

// Call is one command with the root key of its caller.
type Call struct {
	// Actor is the hash of the caller's root key. Commands of the cluster itself have none.
	Actor   Hash
	Command Command
	ID      CallID
	// Origin is set only for commands that write an audit entry (see EventOf), to keep the others short.
	Origin      *Origin
	Idempotency *Idempotency // nil: the call has no idempotency key
}

// CallID identifies a call, so that a node may send it again after any failure and it takes effect once. The zero id gives no such
// guarantee.
type CallID struct {
	Session    uint64
	Seq        uint64 // number of the call in its session
	AckedBelow uint64 // the node needs no result of a call with a smaller number; at most Seq
}

// Command is a change that a caller requests. Each command has a file of its own and a row in the registry. It is a planner, or an executor.
type Command interface {
	is() *commandType
	fields(v *fields.Visitor)
}

// planner is a command that runs all checks before it writes anything. A command that plan refuses needs no log entry: see State.Peek.
type planner interface {
	// plan runs all checks and changes nothing: readers may call it at any time. execute makes the changes and cannot fail; it is called
	// at once, or never. root is the authenticated caller.
	plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal)
}

// executor is a command that decides and executes in one step: a command of the cluster itself, or one that must not allocate. The latter is
// a peeker as well.
type executor interface {
	// apply executes the command. It runs all checks before it writes anything. root is nil for a command of the cluster itself.
	apply(s *State, root *rootKey) Result
}

// peeker is an executor that can leave the ledger unchanged.
type peeker interface {
	executor
	// peek answers an authenticated caller if the command would change nothing. With updateLastUsed, a new lastUsedAt is a change.
	peek(s *State, root *rootKey, updateLastUsed bool) (result Result, ok bool)
}

// commandType describes all commands of one type.
type commandType struct {
	kind   byte   // in the log and between nodes; never reused
	since  uint64 // the ledger version that the type came with
	newest uint64 // the ledger version that its youngest field came with; 0: none was added
	event  Event  // of the audit entry
	noted  uint64 // the ledger version from which the command writes it; 0: since
	// unaudited: the command writes no audit entry, because metrics count it.
	unaudited bool
	system    bool // sent by nodes: without a root key, without an audit entry
	nests     bool // holds commands
	create    func(v *fields.Visitor) Command
}

func create[T any, P interface {
	*T
	Command
}](*fields.Visitor) Command {
	return P(new(T))
}

// EventOf returns the audit event of a command.
func EventOf(c Command) Event { return c.is().event }

// Requires returns the ledger version that a command needs. Every command of a client is asked, so it looks into few.
func Requires(c Command) uint64 {
	if t := c.is(); t.newest == 0 && !t.nests {
		return t.since
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
	writeForm(v, t.kind, oldestForm(v, c, t.since, t.newest))
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

// originMark precedes the kind of a command that has an origin.
const originMark byte = 90

// Visit visits the idempotency key, the origin and the command of a call. An absent part takes no byte. The batch encodes actor and call
// id: see package codec.
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

// callSize is what a call takes beside its texts and lists.
const callSize = 256

// Size is about how many bytes the call takes in an entry; rather too many. It costs far less than writing the call.
func (c *Call) Size() int {
	v := fields.NewSizing()
	c.Visit(&v)
	return callSize + v.Size()
}

// idempotencyMark precedes an idempotency key. It takes the place of the command's kind.
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
