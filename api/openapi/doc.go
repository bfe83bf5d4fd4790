// Package openapi turns descriptions of endpoints into an OpenAPI 3.1 document for programs ([Document]) and a Markdown page for
// people ([Page]).
//
// It knows no endpoint: package api describes its own. The schema of a request comes from the type that its decoder uses, and the
// schema of an answer from the Go type that is encoded. Nothing here runs while a request is served.
package openapi

import "reflect"

// Endpoint describes one route.
type Endpoint struct {
	Name        string // "keys.verifyKey"
	Method      string
	Path        string
	Summary     string
	Description string
	Needs       []Need // root permissions of the caller, all of them
	NeedsNote   string
	Open        bool         // needs no credentials and reads no body
	Request     Request      // JSON Schema of the body
	Example     string       // a body that is answered with 200
	Result      reflect.Type // of data; nil: the answer has no data
	Paged       bool         // pagination stands beside data
	Media       string       // of an answer without the envelope; empty: the answer is JSON in the envelope
	Reads       bool         // the headers that choose the consistency of a read apply
	Idempotent  bool         // the header Idempotency-Key applies
	Problems    []Problem    // every error it may answer with
}

// Request returns the JSON Schema of a body. define gets each object with a name and returns what replaces it; nil replaces none.
type Request func(define func(name string, object map[string]any) map[string]any) map[string]any

// Need is a root permission that a caller must have.
type Need struct {
	Accepted  []string // the strings of which a root key must have one
	Condition string   // what needs it, "to create permissions"; empty: every request
}

// Problem is one error that an endpoint may answer with.
type Problem struct {
	Status         int
	Type           string // the whole URI
	Title          string
	Detail         string
	ProblemOnly    bool // never sent as application/json
	ListsErrors    bool // the error object has an errors array
	RetryAfter     bool
	UnknownOutcome bool // with a header that says so, the outcome is unknown
}

// Probe is a route outside the envelope: plain text without credentials.
type Probe struct {
	Path      string
	Summary   string
	Unhealthy bool // may answer 503
}
