// Package fault is the error vocabulary of a node: the one type for "no answer was reached". Packages cluster and api share it, so
// that the node that fails and the HTTP layer that reports the failure use the same terms. It imports nothing of this module.
//
// A refusal by the ledger (no credits, no such key, not permitted) is an answer, never a fault. A fault always says first
// whether the command was applied, because that decides whether it may be sent again.
package fault

import (
	"errors"
	"fmt"
)

// Kind says whether a command took effect, and with it what the caller may do next.
type Kind uint8

const (
	// Internal: a bug was found before anything was proposed. Not applied.
	Internal Kind = iota
	// Overloaded: a bounded queue was full. Not applied; try again later.
	Overloaded
	// Unavailable: no leader, or this node is stopping or not ready. Not applied; another node or a later try may succeed.
	Unavailable
	// TimedOut: the deadline passed before anything was proposed. Not applied.
	TimedOut
	// Unknown: the command was handed on and its outcome was not learnt. It may or may not have been applied.
	Unknown
	// TooLarge: the command does not fit a log entry. Not applied.
	TooLarge
	// Invalid: the request names something that cannot be. Not applied.
	Invalid
	// DiskFull: too few nodes have space on their disks for changes. Not applied; until there is space no later try succeeds.
	DiskFull
	// Unsupported: a node that takes part runs a build that does not know the request. Not applied; after an upgrade it succeeds.
	Unsupported
)

var kindNames = [...]string{"internal", "overloaded", "unavailable", "timed out", "outcome unknown", "too large", "invalid", "disk full", "unsupported"}

// String names the kind as it appears in logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is a fault. Detail is safe to show a client and travels between nodes; the cause is for the logs of this node only.
type Error struct {
	Kind   Kind
	Detail string
	Cause  error
}

// New makes a fault without a cause.
func New(kind Kind, detail string) *Error { return &Error{Kind: kind, Detail: detail} }

// Wrap makes a fault with the cause that led to it.
func Wrap(kind Kind, detail string, cause error) *Error {
	return &Error{Kind: kind, Detail: detail, Cause: cause}
}

// Error implements error.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Kind, e.Detail, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Kind, e.Detail)
}

// Unwrap gives errors.Is and errors.As the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Applied reports whether the command may have taken effect.
func (e *Error) Applied() bool { return e.Kind == Unknown }

// KindOf returns the kind of the fault in err's chain. An error that carries none is a bug in the code that let it through,
// hence Internal.
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}
