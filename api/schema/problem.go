package schema

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Kind tells why a body was refused. Every kind is answered with 400 invalid_input.
type Kind uint8

const (
	// KindEmpty: there is no body at all.
	KindEmpty Kind = iota + 1
	// KindMalformed: the body is not one JSON text, or is nested too deeply.
	KindMalformed
	// KindSchema: the body violates the schema; Errors lists how.
	KindSchema
	// KindUnsupported: the body is fine but names fields this version does not serve.
	KindUnsupported
	// KindValue: the body satisfies the schema but a value does not fit its Go type. See [Problem.AfterAuth].
	KindValue
)

// Bounds on what one answer may hold. The first two are far above what a client that means well can reach.
const (
	// MaxDepth is how deeply objects and arrays may be nested in a body.
	MaxDepth = 64
	// MaxErrors is how many violations are listed; further ones are left out.
	MaxErrors = 256

	maxNamesListed = 32  // names in one message about unknown properties
	maxQuotedBytes = 512 // of a value or name quoted in a message
)

// Problem is why Decode refused a body.
type Problem struct {
	Kind Kind
	// Errors are the items of the error envelope. Empty, never nil, for KindValue.
	Errors []Violation
	// Field names the offending field of KindUnsupported and KindValue, as in "credits.remaining".
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
	case KindUnsupported:
		return "The field '" + p.Field + "' is not supported by this version of the server"
	case KindValue:
		return "The value of '" + p.Field + "' " + p.reason
	default:
		return "POST request body for '" + path + "' failed to validate schema"
	}
}

const fixBody = "Send exactly one JSON value, encoded in UTF-8, that matches the schema of this endpoint"

func emptyBody() *Problem {
	return &Problem{Kind: KindEmpty, Errors: []Violation{{
		Location: "requestBody",
		Message:  "The request body is empty but this endpoint needs one",
		Fix:      fixBody,
	}}}
}

func malformed(fault string, at int) *Problem {
	return &Problem{Kind: KindMalformed, Errors: []Violation{{
		Location: "requestBody",
		Message:  "The request body cannot be decoded: " + fault + " at byte " + strconv.Itoa(at),
		Fix:      fixBody,
	}}}
}

func unsupported(n *node) Violation {
	return Violation{
		Location: n.loc,
		Message:  "'" + n.path + "' is part of the API but not supported by this version of the server",
		Fix:      "Remove '" + n.path + "' from the request",
	}
}

// explain words a violation. The texts are the validator library's own, because the contract promises them.
func explain(n *node, k jsonschema.ErrorKind) Violation {
	return Violation{
		Location: n.loc + "/" + strings.Join(k.KeywordPath(), "/"),
		Message:  k.LocalizedString(message.NewPrinter(language.Und)),
	}
}

// unknownNames collects the undescribed names of one object for one message.
type unknownNames struct {
	listed []string
	more   int
}

func (u *unknownNames) add(name []byte) {
	quoted := clip(string(name))
	for _, seen := range u.listed {
		if seen == quoted {
			return
		}
	}
	if len(u.listed) == maxNamesListed {
		u.more++
		return
	}
	u.listed = append(u.listed, quoted)
}

func (u *unknownNames) violation(n *node) Violation {
	v := explain(n, &kind.AdditionalProperties{Properties: u.listed})
	if u.more > 0 {
		v.Message = strings.TrimSuffix(v.Message, " not allowed") + fmt.Sprintf(" and %d more not allowed", u.more)
	}
	return v
}

// clip shortens a text that a message is about to quote.
func clip(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	cut := maxQuotedBytes
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// ratOf converts a number for a message, which shows it with the precision of a float64. The literal may be megabytes
// long or have a huge exponent, so it must not be expanded.
func ratOf(literal []byte) *big.Rat {
	f, err := strconv.ParseFloat(string(literal), 64)
	if err == nil {
		return new(big.Rat).SetFloat64(f)
	}
	huge, _ := new(big.Rat).SetString("1e400") // shown as infinity
	if literal[0] == '-' {
		huge.Neg(huge)
	}
	return huge
}
