package api

import (
	"net/http"
	"reflect"

	"github.com/creditd/creditd/api/openapi"
	"github.com/creditd/creditd/fsm"
	"github.com/gin-gonic/gin"
)

// description is what is said of an endpoint to those who call it, beyond what its types say. Every endpoint has one in
// descriptions.go.
type description struct {
	summary    string
	text       string
	permission string     // which the root key needs; empty: none
	example    string     // a body that a ledger with the example ids answers with 200
	result     any        // a value of the type of data; nil: no data but {}
	paged      bool       // pagination stands beside data
	refuses    []fsm.Code // beyond what every endpoint may answer
	hides      bool       // a caller without the permission hears that there is no such thing, and never of permissions
}

// Every endpoint may answer with these: docs/contract.md 1.3 and 1.6.
var (
	commonKinds = []*kind{
		&invalidInput, &malformedAuthorization, &bodyUnreadable, &requestTimeout, &bodyTooLarge, &tooManyRequests, &unexpectedError,
		&serviceUnavailable,
	}
	commonRefusals = []fsm.Code{
		fsm.RootKeyNotFound, fsm.RootKeyDisabled, fsm.RootKeyExpired, fsm.WorkspaceDisabled, fsm.WorkspaceNotFound,
	}
)

// Describe describes every endpoint, in the order of routes.go.
func Describe() []openapi.Endpoint {
	var all []openapi.Endpoint
	for _, e := range endpoints() {
		all = append(all, e.describe(descriptions[e.name]))
	}
	return append(all, openapi.Endpoint{
		Name: "liveness", Method: http.MethodGet, Path: "/v2/liveness", Open: true, Summary: "Say that the process answers",
		Result: reflect.TypeFor[livenessData](),
	})
}

// Probes describes the routes outside the envelope.
func Probes(withMetrics bool) []openapi.Probe {
	probes := []openapi.Probe{
		{Path: "/healthz", Summary: "Say that the process runs"},
		{Path: "/readyz", Summary: "Say whether requests can be served here", Unhealthy: true},
	}
	if withMetrics {
		probes = append(probes, openapi.Probe{Path: "/metrics", Summary: "Show metrics as Prometheus reads them"})
	}
	return probes
}

func (e *endpoint) describe(d description) openapi.Endpoint {
	shown := openapi.Endpoint{
		Name: e.name, Method: http.MethodPost, Path: e.path, Summary: d.summary, Description: d.text, Permission: d.permission,
		Request: e.schema(), Example: d.example, Paged: d.paged, Reads: e.reads,
		Named: !e.reads && !e.outside,
	}
	if d.result == nil {
		d.result = none{}
	}
	if !e.bare {
		shown.Result = reflect.TypeOf(d.result)
	}
	for _, k := range commonKinds {
		shown.Problems = append(shown.Problems, e.problem(k))
	}
	refuses := append(commonRefusals[:len(commonRefusals):len(commonRefusals)], d.refuses...)
	if !d.hides {
		refuses = append(refuses, fsm.InsufficientPermissions)
	}
	if shown.Named {
		refuses = append(refuses, fsm.IdempotencyConflict, fsm.TooManyOutcomes)
	}
	for _, code := range refuses {
		shown.Problems = append(shown.Problems, e.problem(&refusals[code]))
	}
	return shown
}

// problem describes an error as fail sends it.
func (e *endpoint) problem(k *kind) openapi.Problem {
	sent := problem{kind: k}
	return openapi.Problem{
		Status: k.status, Type: errorBase + k.path, Title: k.title, Detail: k.detail,
		ProblemOnly: k.status == http.StatusTooManyRequests || e.bare, ListsErrors: sent.listsErrors(),
		RetryAfter: k.status == http.StatusTooManyRequests || k.status == http.StatusServiceUnavailable,
		Doubtful:   k.status == http.StatusRequestTimeout && !e.reads,
	}
}

// document adds GET /openapi.json. The text is made here, once.
func (a *API) document(version string, withMetrics bool) error {
	text, err := openapi.Document(version, Describe(), Probes(withMetrics))
	if err != nil {
		return err
	}
	a.engine.GET("/openapi.json", func(g *gin.Context) { g.Data(http.StatusOK, "application/json", text) })
	return nil
}
