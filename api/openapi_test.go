package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// published is GET /openapi.json, and an independent validator that works from it.
type published struct {
	document  map[string]any
	mu        sync.Mutex
	compiler  *jsonschema.Compiler
	validator map[string]*jsonschema.Schema // by place in the document; guarded by mu, and so is compiler
}

// publish is made once: every answer of every test of this package is held against it.
var publish = sync.OnceValue(func() *published {
	config := api.Config{Node: &ledger{state: fsm.New()}}
	a, err := api.New(config)
	if err != nil {
		panic(err)
	}
	rec := httptest.NewRecorder()
	a.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	decoded, err := jsonschema.UnmarshalJSON(rec.Body)
	if err != nil {
		panic(err)
	}
	p := &published{document: decoded.(map[string]any), compiler: jsonschema.NewCompiler(), validator: map[string]*jsonschema.Schema{}}
	components := p.document["components"].(map[string]any)
	closeObjects(components["schemas"])
	closeObjects(components["responses"])
	for _, item := range p.document["paths"].(map[string]any) {
		for _, operation := range item.(map[string]any) {
			closeObjects(operation.(map[string]any)["responses"])
		}
	}
	if err := p.compiler.AddResource("openapi.json", p.document); err != nil {
		panic(err)
	}
	return p
})

// closeObjects makes schemas refuse what they do not name. The document leaves answers open, so that clients bear additions;
// here a field that is sent and not described is a mistake.
func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		_, described := node["properties"].(map[string]any)
		if _, said := node["additionalProperties"]; described && !said {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

// validate holds JSON against the schema at a place of the document.
func (p *published) validate(t testing.TB, text string, place ...string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	at := "openapi.json#" + pointer(place)
	if p.validator[at] == nil {
		compiled, err := p.compiler.Compile(at)
		require.NoError(t, err)
		p.validator[at] = compiled
	}
	require.NoError(t, p.validator[at].Validate(value), "%s\n%s", at, text)
}

func pointer(place []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	text := ""
	for _, token := range place {
		text += "/" + escape.Replace(token)
	}
	return text
}

// find returns what stands at a place of the document, or nil.
func (p *published) find(place ...string) map[string]any {
	node := p.document
	for _, token := range place {
		node, _ = node[token].(map[string]any)
	}
	return node
}

// checkDocumented requires that the document announces an answer: its status, its content type and its shape.
func checkDocumented(t testing.TB, path string, rec *httptest.ResponseRecorder) {
	t.Helper()
	if rec.Code == 499 {
		return // nobody is left to read it
	}
	p := publish()
	method := "post"
	if path == "/v2/liveness" {
		method = "get"
	}
	place := []string{"paths", path, method, "responses", fmt.Sprint(rec.Code)}
	response := p.find(place...)
	require.NotNil(t, response, "%s does not announce %d", path, rec.Code)
	if ref, ok := response["$ref"].(string); ok {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	place = append(place, "content", rec.Header().Get("Content-Type"), "schema")
	require.NotNil(t, p.find(place...), "%s does not announce %d as %s", path, rec.Code, rec.Header().Get("Content-Type"))
	p.validate(t, rec.Body.String(), place...)
}

// exampleLedger has everything that the examples of the document name.
func exampleLedger(t testing.TB) *server {
	s := newServer(t)
	s.apply(t, rootKey, &fsm.CreateAPI{ID: "api_2cGKbMxRyIzhCxo1", KeyspaceID: "ks_2cGKbMxRyIzhCxo1", Name: "payments"})
	s.apply(t, rootKey, &fsm.CreateKey{
		ID: "key_2cGKbMxRyIzhCxo1", Hash: mint.Hash("prod_CtvF5r2kTSWXYb1GdZ8qNh"), Start: "prod_CtvF", APIID: "api_2cGKbMxRyIzhCxo1",
		ExternalID: "user_123", IdentityID: "id_2cGKbMxRyIzhCxo1", Expires: fsm.Never, Enabled: true,
		Credits:     fsm.NewCredits{Limited: true, Remaining: 1000},
		Permissions: []fsm.PermissionRef{{Slug: "documents.read", ID: "perm_2cGKbMxRyIzhCxo1"}},
	})
	s.apply(t, rootKey, &fsm.CreateRole{ID: "role_2cGKbMxRyIzhCxo1", Name: "editor"})
	s.apply(t, rootKey, &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
		{Namespace: "emails", NamespaceID: "rlns_2cGKbMxRyIzhCxo1", Identifier: "user_123", Limit: 10, Duration: 60_000, Cost: 1},
	}})
	s.apply(t, rootKey, &fsm.SetOverride{
		ID: "rlor_2cGKbMxRyIzhCxo1", Namespace: "emails", Identifier: "user_123", Limit: 100, Duration: 60_000,
	})
	s.apply(t, rootKey, &fsm.CreateMigration{ID: "old_system", Algorithm: fsm.SHA256})
	s.apply(t, rootKey, &fsm.CreateRootKey{
		ID: "key_7dHLcNySzJaiDyp2", Hash: mint.Hash("other"), Name: "ci", Permissions: []string{"api.*.read_api"}, Expires: fsm.Never,
	})
	s.apply(t, rootKey, &fsm.CreateWorkspace{ID: "ws_2cGKbMxRyIzhCxo1", Name: "staging"})
	return s
}

// TestOpenAPI_ExamplesWork: every example of the document satisfies its own schema and is answered with 200, in the shape that the
// document gives for the answer.
func TestOpenAPI_ExamplesWork(t *testing.T) {
	aloneOnly(t)
	p := publish()
	for path, item := range p.document["paths"].(map[string]any) {
		operation, ok := item.(map[string]any)["post"].(map[string]any)
		if !ok {
			continue // a GET has no body
		}
		t.Run(operation["operationId"].(string), func(t *testing.T) {
			content := p.find("paths", path, "post", "requestBody", "content", "application/json")
			example, err := json.Marshal(content["example"])
			require.NoError(t, err)
			p.validate(t, string(example), "paths", path, "post", "requestBody", "content", "application/json", "schema")
			s := exampleLedger(t)
			s.grant(fsm.AllPermissions()...).must(strings.TrimPrefix(path, "/v2/"), string(example))
		})
	}
}

// TestOpenAPI_ListsEveryRoute: what is served is in the document, and nothing else is.
func TestOpenAPI_ListsEveryRoute(t *testing.T) {
	s := newServer(t)
	for path, item := range publish().document["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			rec := s.visit(strings.ToUpper(method), path)
			require.NotEqual(t, http.StatusNotFound, rec.Code, path)
			require.NotEqual(t, http.StatusMethodNotAllowed, rec.Code, path)
		}
	}
}

func TestOpenAPI_NamesTheVersion(t *testing.T) {
	shown := newServer(t).visit(http.MethodGet, "/openapi.json")
	require.Equal(t, 200, shown.Code)
	require.Equal(t, "application/json", shown.Header().Get("Content-Type"))
	require.Contains(t, shown.Body.String(), `"version":"v0.0.0-test"`)
}
