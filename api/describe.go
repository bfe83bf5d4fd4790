package api

import (
	"net/http"
	"reflect"
	"slices"
	"sync"

	"github.com/creditd/creditd/api/openapi"
	"github.com/creditd/creditd/fsm"
	"github.com/gin-gonic/gin"
)

// Every endpoint may answer with these: docs/contract.md 1.3 and 1.6.
var (
	commonErrors = []*errorType{
		&invalidInput, &malformedAuthorization, &bodyUnreadable, &requestTimeout, &bodyTooLarge, &tooManyRequests, &unexpectedError,
		&serviceUnavailable,
	}
	commonRefusals = []fsm.RefusalCode{
		fsm.RootKeyNotFound, fsm.RootKeyDisabled, fsm.RootKeyExpired, fsm.WorkspaceDisabled, fsm.WorkspaceNotFound,
	}
)

// Describe describes every endpoint, in the order of endpoints.go.
func Describe() []openapi.Endpoint { return describe(endpoints()) }

func describe(endpoints []*endpoint) []openapi.Endpoint {
	var all []openapi.Endpoint
	for _, e := range endpoints {
		all = append(all, e.describe())
	}
	return append(all, openapi.Endpoint{
		Name: "liveness", Method: http.MethodGet, Path: "/v2/liveness", Open: true, Summary: "Say that the process answers",
		Result: reflect.TypeFor[livenessData](),
	})
}

// probes describes the routes outside the envelope.
func probes() []openapi.Probe {
	return []openapi.Probe{
		{Path: "/healthz", Summary: "Say that the process runs"},
		{Path: "/readyz", Summary: "Say whether this node can serve requests", Unhealthy: true},
		{Path: "/metrics", Summary: "Show metrics for Prometheus"},
	}
}

func (e *endpoint) describe() openapi.Endpoint {
	shown := openapi.Endpoint{
		Name: e.name, Method: http.MethodPost, Path: e.path, Summary: e.summary, Description: e.text, NeedsNote: e.needsNote,
		Request: e.request, Example: e.example, Media: e.media, Reads: e.reads, Idempotent: !e.reads && !e.outsideLedger,
	}
	for _, n := range e.needs {
		shown.Needs = append(shown.Needs, openapi.Need{Accepted: n.accepted(), Condition: n.condition})
	}
	switch {
	case e.paged:
		shown.Result, shown.Paged = reflect.TypeOf(reflect.Zero(e.result).Interface().(pager).list()), true
	case !e.metaOnly && e.media == "":
		shown.Result = e.result
	}
	for _, t := range commonErrors {
		shown.Problems = append(shown.Problems, e.problem(t))
	}
	refuses := append(commonRefusals[:len(commonRefusals):len(commonRefusals)], e.refuses...)
	if slices.ContainsFunc(e.needs, func(n need) bool { return !n.silent }) {
		refuses = append(refuses, fsm.InsufficientPermissions)
	}
	if shown.Idempotent {
		refuses = append(refuses, fsm.IdempotencyConflict, fsm.IdempotencyStoreFull)
	}
	for _, code := range refuses {
		shown.Problems = append(shown.Problems, e.problem(&refusals[code]))
	}
	return shown
}

// problem describes an error as fail sends it.
func (e *endpoint) problem(t *errorType) openapi.Problem {
	sent := problem{errorType: t}
	return openapi.Problem{
		Status: t.status, Type: errorBase + t.path, Title: t.title, Detail: t.detail,
		ProblemOnly: t.status == http.StatusTooManyRequests || e.metaOnly, ListsErrors: sent.listsErrors(),
		RetryAfter:     t.status == http.StatusTooManyRequests || t.status == http.StatusServiceUnavailable,
		UnknownOutcome: t.status == http.StatusRequestTimeout && !e.reads,
	}
}

// document adds GET /openapi.json. The text takes milliseconds to make and is made for the first who asks. It depends on nothing that a
// node is told, so a test sees whether it can be made.
func (a *API) document(endpoints []*endpoint, version string) {
	render := sync.OnceValues(func() ([]byte, error) { return openapi.Document(version, describe(endpoints), probes()) })
	a.admin.GET("/openapi.json", a.impatiently(func(g *gin.Context) {
		text, err := render()
		if err != nil {
			a.logger.Error("the API cannot be described", "error", err)
			g.Status(http.StatusInternalServerError)
			return
		}
		g.Data(http.StatusOK, "application/json", text)
	}))
}
