package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/stretchr/testify/require"
)

// TestNotServed_SaysSo: a method of a resource that the SDKs or creditd know gets the error envelope: docs/contract.md 1.1 [D-1].
func TestNotServed_SaysSo(t *testing.T) {
	s := newServer(t)
	for _, name := range append(api.NotServed(), "keys.unheardOf", "rootKeys.unheardOf", "cluster.unheardOf") {
		for _, token := range []string{rootKey, "nobody"} {
			r := s.as(token).request(name, `{}`)
			rec := httptest.NewRecorder()
			s.handler.ServeHTTP(rec, r)
			require.Equal(t, http.StatusNotFound, rec.Code, name)
			require.Equal(t, "application/json", rec.Header().Get("Content-Type"), name)
			var answer struct {
				Meta  struct{ RequestID string }
				Error map[string]any
			}
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer), "%s: %s", name, rec.Body)
			require.Regexp(t, `^req_[a-zA-Z0-9]{16}$`, answer.Meta.RequestID)
			require.Equal(t, map[string]any{
				"title": "Not Found", "status": 404.0, "type": "https://unkey.com/docs/errors/unkey/application/endpoint_not_served",
				"detail": "This server does not serve the method " + name + ". docs/sdk-methods.md lists what it serves",
			}, answer.Error)
		}
	}
	require.Contains(t, s.visit(http.MethodGet, "/metrics").Body.String(), `creditd_api_requests_total{endpoint="notServed",status="404"}`)
}

// TestNotServed_NamesNothingThatIsServed: the list and the endpoints do not overlap, and the list is not empty.
func TestNotServed_NamesNothingThatIsServed(t *testing.T) {
	require.NotEmpty(t, api.NotServed())
	served := map[string]bool{}
	for _, e := range api.Describe() {
		served[e.Name] = true
	}
	for _, name := range api.NotServed() {
		require.False(t, served[name], name)
	}
}
