package books

import (
	"fmt"
	"time"
)

// Kind is what an operation asked for.
type Kind int

const (
	// Charge is a verification that costs Amount.
	Charge Kind = iota
	// Grant is an increment by Amount.
	Grant
	// Read asked for the balance.
	Read
	// Set makes the balance Amount.
	Set
	// Decrement takes Amount, or what there is.
	Decrement
)

// Kinds counts the kinds, Outcomes the outcomes.
const (
	Kinds    = int(Decrement) + 1
	Outcomes = int(Broken) + 1
)

func (k Kind) String() string { return [...]string{"charge", "grant", "read", "set", "decrement"}[k] }

// Outcome is what the caller learned.
type Outcome int

const (
	// OK operations took effect, and Balance is the balance after them.
	OK Outcome = iota
	// Denied charges had no effect, and Balance is the balance that did not suffice.
	Denied
	// NotExecuted operations had no effect.
	NotExecuted
	// Unknown operations may have taken effect at any time after Start.
	Unknown
	// Broken operations were answered in a way that nothing allows; Detail says how.
	Broken
)

func (o Outcome) String() string {
	return [...]string{"ok", "denied", "not executed", "unknown", "broken"}[o]
}

// Op is one operation on one balance.
type Op struct {
	Owner      int
	Kind       Kind
	Amount     int64
	Outcome    Outcome
	Balance    int64
	Index      uint64        // of the log entry the answer reflects; 0 when it had none
	Start, End time.Duration // since the start of the run, by one monotonic clock
	Node       int
	Client     int // calls of one client follow each other
	Status     int // of the HTTP answer, 0 without one
	Detail     string
}

func (o Op) String() string {
	return fmt.Sprintf("%v of %d at node %d, %v, balance %d, index %d, sent %v answered %v %s",
		o.Kind, o.Amount, o.Node, o.Outcome, o.Balance, o.Index, o.Start.Round(time.Microsecond), o.End.Round(time.Microsecond), o.Detail)
}

// Answered reports whether the caller learned what became of the operation, and a balance with it.
func (o Op) Answered() bool { return o.Outcome <= Denied }

// Changed reports whether the answer says that the operation took effect on the balance.
func (o Op) Changed() bool { return o.Outcome == OK && o.changes() }

// delta is what a charge or grant does to the balance when it takes effect.
func (o Op) delta() int64 {
	switch o.Kind {
	case Charge:
		return -o.Amount
	case Grant:
		return o.Amount
	}
	return 0
}

func (o Op) changes() bool { return o.Kind != Read && o.Amount != 0 }

// Owner is one balance: what it was created with and what was found at the end.
type Owner struct {
	Name           string
	Reset          bool // it is also set and decremented: sums say nothing about it, only a replay does
	Initial, Final int64
}
