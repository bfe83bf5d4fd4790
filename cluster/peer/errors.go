package peer

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed says that the Client was closed.
	ErrClosed = errors.New("peer: client closed")
	// ErrOverloaded says that a bound on outstanding calls was reached, here
	// or at the peer. It is always NotSent.
	ErrOverloaded = errors.New("peer: too many outstanding calls")
	// ErrTooLarge says that a payload exceeds MaxFrameBytes. For a request it
	// is NotSent; for a response it is not, since the peer acted.
	ErrTooLarge = errors.New("peer: payload exceeds the frame limit")
	// ErrConnectionLost says that the connection ended before the answer.
	ErrConnectionLost = errors.New("peer: connection lost")
	// ErrStalled says that the peer held calls and sent nothing, not even the
	// answer to a probe. It wraps ErrConnectionLost.
	ErrStalled = fmt.Errorf("%w: no sign of life", ErrConnectionLost)
)

// CallError is a call that got no answer from the peer's handler.
type CallError struct {
	Addr   string
	Method byte
	// Sent false means that the peer's handler has not seen the request and
	// never will. True means that its outcome is unknown.
	Sent bool
	// Err is the cause; context errors, ErrOverloaded and the like are found
	// with errors.Is.
	Err error
}

func (e *CallError) Error() string {
	outcome := "not sent"
	if e.Sent {
		outcome = "outcome unknown"
	}
	return fmt.Sprintf("peer: call %d to %s: %s: %v", e.Method, e.Addr, outcome, e.Err)
}

func (e *CallError) Unwrap() error { return e.Err }

// CodeError is an answer of the peer's handler other than CodeOK.
type CodeError struct {
	Addr    string
	Method  byte
	Code    byte
	Payload []byte
}

func (e *CodeError) Error() string {
	return fmt.Sprintf("peer: call %d to %s: answered with code %d", e.Method, e.Addr, e.Code)
}

// NotSent reports whether err proves that the peer's handler has not seen the
// request and never will.
func NotSent(err error) bool {
	var e *CallError
	return errors.As(err, &e) && !e.Sent
}

// Codes of a response. Handlers choose from 0..MaxCode; the rest belongs to
// this package.
const (
	// CodeOK is the answer that Call returns without an error.
	CodeOK byte = 0
	// MaxCode is the largest code a handler may reply with.
	MaxCode byte = 239

	// codeOverloaded: refused before the handler saw it.
	codeOverloaded byte = 240
	// codeReplyTooLarge: handled, but the answer does not fit a frame.
	codeReplyTooLarge byte = 241
	// codeUnsupported: the server does not know this reserved method.
	codeUnsupported byte = 242
)

// MaxMethod is the largest method number a caller may use.
const MaxMethod byte = 239

// methodProbe is answered by the Server itself, so that a client can tell a
// slow handler from a dead peer.
const methodProbe byte = 255

// methodAnnounce tells which node the calls of a connection come from. It comes first and is not answered. Builds that do not know it answer
// that they do not support it.
const methodAnnounce byte = 254
