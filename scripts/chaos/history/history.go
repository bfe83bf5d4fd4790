// Package history is the record of a run: operations on balances and what each was answered. It is kept as JSON lines, first one per
// account, then one per operation. The linearizability check, a module of its own, reads them.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// Account is one balance: what it was created with and what was read when all was over.
type Account struct {
	Name    string `json:"name"`
	Initial int64  `json:"initial"`
	Final   int64  `json:"final"`
}

// Operation is one operation on one account.
type Operation struct {
	Account int           `json:"account"`
	Kind    Kind          `json:"kind"`
	Amount  int64         `json:"amount,omitempty"`
	Outcome Outcome       `json:"outcome"`
	Balance int64         `json:"balance"`
	Index   uint64        `json:"index,omitempty"` // of the log entry that the answer reflects
	Start   time.Duration `json:"start"`           // since the start of the run, by one monotonic clock
	End     time.Duration `json:"end"`
	Client  int           `json:"client"` // calls of one client follow each other
	Node    int           `json:"node"`
	Status  int           `json:"status,omitempty"` // of the HTTP answer
	Detail  string        `json:"detail,omitempty"`
}

// Kind is what an operation asked for.
type Kind int

const (
	// Debit is a verification that costs Amount.
	Debit Kind = iota
	// Increment adds Amount.
	Increment
	// Read asks for the balance.
	Read
	// Set makes the balance Amount.
	Set
	// Decrement takes Amount, or what there is.
	Decrement
)

// Outcome is what the caller learned.
type Outcome int

const (
	// OK operations were executed, and Balance is the balance after them.
	OK Outcome = iota
	// Denied debits changed nothing, and Balance is the balance that did not suffice.
	Denied
	// NotExecuted operations changed nothing.
	NotExecuted
	// Unknown operations may have been executed at any time after Start.
	Unknown
	// Broken operations were answered in a way that the contract does not allow; Detail says how.
	Broken
)

// Kinds counts the kinds, Outcomes the outcomes.
const (
	Kinds    = int(Decrement) + 1
	Outcomes = int(Broken) + 1
)

func (k Kind) String() string {
	return [...]string{"debit", "increment", "read", "set", "decrement"}[k]
}

func (o Outcome) String() string {
	return [...]string{"ok", "denied", "not executed", "unknown", "broken"}[o]
}

// MarshalText writes the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalText writes the name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

func (o Operation) String() string {
	return fmt.Sprintf("%v of %d at node %d, %v, balance %d, index %d, sent %v answered %v %s",
		o.Kind, o.Amount, o.Node, o.Outcome, o.Balance, o.Index, o.Start.Round(time.Microsecond), o.End.Round(time.Microsecond), o.Detail)
}

// Answered reports whether the caller learned the outcome, and a balance with it.
func (o Operation) Answered() bool { return o.Outcome <= Denied }

// Changed reports whether the answer says that the operation changed the balance.
func (o Operation) Changed() bool { return o.Outcome == OK && o.Kind != Read && o.Amount != 0 }

// Save writes a record to a new file.
func Save(name string, accounts []Account, ops []Operation) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewWriter(file)
	lines := json.NewEncoder(buffered)
	for i, a := range accounts {
		if err := lines.Encode(struct {
			Number int `json:"account"`
			Account
		}{i, a}); err != nil {
			return err
		}
	}
	for _, op := range ops {
		if err := lines.Encode(op); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
