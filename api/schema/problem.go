package schema

import "strconv"

// Kind tells why a body was refused. Every kind is answered with 400 invalid_input.
type Kind uint8

const (
	// KindEmpty: there is no body at all.
	KindEmpty Kind = iota + 1
	// KindMalformed: the body is not one JSON text, or is nested too deeply.
	KindMalformed
	// KindSchema: the body violates the schema; Errors lists how.
	KindSchema
	// KindValue: the body satisfies the schema but a value does not fit its Go type. See [Problem.AfterAuth].
	KindValue
)

// Both bounds are far above what a client that means well can reach.
const (
	// MaxDepth is how deeply objects and arrays may be nested in a body.
	MaxDepth = 64
	// MaxProperties is how many properties an object may have, at any place of a body, repeated ones included.
	MaxProperties = 100_000
	// MaxErrors is how many violations are listed; further ones are left out.
	MaxErrors = 256
)

// Problem is why Decode refused a body.
type Problem struct {
	Kind Kind
	// Errors are the items of the error envelope. Empty, never nil, for KindValue.
	Errors []Violation
	// Field names the offending field of KindValue, as in "credits.remaining".
	Field string

	reason string // KindValue: what is wrong with the field
}

// Violation is one item of the error envelope (docs/contract.md 1.5).
type Violation struct {
	Location string `json:"location"`
	Message  string `json:"message"`
	Fix      string `json:"fix,omitempty"`
}

// AfterAuth reports whether the problem must be held back until the caller is authenticated (docs/contract.md 1.2:
// the body is validated before authentication and decoded after it).
func (p *Problem) AfterAuth() bool { return p.Kind == KindValue }

// Detail returns the detail text for a request to the given path. Clients compare the first two forms literally.
func (p *Problem) Detail(path string) string {
	switch p.Kind {
	case KindEmpty:
		return "POST request body is empty for '" + path + "'"
	case KindValue:
		return "The value of '" + p.Field + "' " + p.reason
	default:
		return "POST request body for '" + path + "' failed to validate schema"
	}
}

func emptyBody() *Problem {
	return unreadable(KindEmpty, "The request body is empty but this endpoint needs one")
}

func malformed(fault string, at int) *Problem {
	return unreadable(KindMalformed, "The request body cannot be decoded: "+fault+" at byte "+strconv.Itoa(at))
}

func unreadable(kind Kind, text string) *Problem {
	return &Problem{Kind: kind, Errors: []Violation{{
		Location: "requestBody", Message: text,
		Fix: "Send exactly one JSON value, encoded in UTF-8, that matches the schema of this endpoint",
	}}}
}
