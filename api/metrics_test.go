package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// metric returns one counter or gauge of all nodes together, or the number of observations of a histogram; -1 if there is none
// with these labels.
func (s *server) metric(name string, labels ...string) float64 {
	s.t.Helper()
	sum, found := 0.0, false
	for _, registry := range s.registries {
		families, err := registry.Gather()
		require.NoError(s.t, err)
		for _, family := range families {
			for _, metric := range family.GetMetric() {
				have := map[string]string{}
				for _, pair := range metric.GetLabel() {
					have[pair.GetName()] = pair.GetValue()
				}
				if family.GetName() == name && labelled(have, labels) {
					found = true
					sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
				}
			}
		}
	}
	if !found {
		return -1
	}
	return sum
}

// labelled reports whether a metric has these labels: name, value, …
func labelled(have map[string]string, labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		if have[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

func TestMetrics_CountAnswersAndVerifications(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("keys.verifyKey", f.in(`{"key":"SECRET"}`))
	s.must("keys.verifyKey", f.in(`{"key":"SECRET","credits":{"cost":1000}}`))
	s.post("keys.verifyKey", `{}`)
	require.Equal(t, 2.0, s.metric("creditd_api_requests_total", "endpoint", "keys.verifyKey", "status", "200"))
	require.Equal(t, 1.0, s.metric("creditd_api_requests_total", "endpoint", "keys.verifyKey", "status", "400"))
	require.Equal(t, 3.0, s.metric("creditd_api_request_duration_seconds", "endpoint", "keys.verifyKey"))
	require.Equal(t, 1.0, s.metric("creditd_api_verifications_total", "code", "VALID"))
	require.Equal(t, 1.0, s.metric("creditd_api_verifications_total", "code", "USAGE_EXCEEDED"))
	require.Equal(t, 0.0, s.metric("creditd_api_verifications_total", "code", "EXPIRED"))
	require.EqualValues(t, len(s.each), s.metric("creditd_api_build_info", "version", "v0.0.0-test"))
}

// visit asks for a route that has no envelope.
func (s *server) visit(method, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
	return rec
}

// TestProbes_NeedNoCredentials: docs/contract.md 2.1 and 7.2.
func TestProbes_NeedNoCredentials(t *testing.T) {
	s := newServer(t)
	s.handler = s.each[0] // the page of metrics is that of one node
	live := s.do(httptest.NewRequest(http.MethodGet, "/v2/liveness", nil))
	require.NotEmpty(t, live.field("message"))
	for _, path := range []string{"/healthz", "/readyz"} {
		require.Equal(t, 200, s.visit(http.MethodGet, path).Code)
		require.Equal(t, 200, s.visit(http.MethodHead, path).Code)
	}
	require.Contains(t, s.visit(http.MethodGet, "/metrics").Body.String(), `creditd_api_requests_total{endpoint="liveness",status="200"} 1`)
	require.Empty(t, s.calls, "a probe must not load the ledger")

	s.ready = fault.New(fault.Unavailable, "no leader")
	require.Equal(t, 200, s.visit(http.MethodGet, "/healthz").Code)
	ready := s.visit(http.MethodGet, "/readyz")
	require.Equal(t, 503, ready.Code)
	require.Contains(t, ready.Body.String(), "no leader")
	require.NotEmpty(t, ready.Header().Get("Retry-After"))
}

// TestRouter_AnswersWithoutEnvelope: docs/contract.md 1.1 [D-1].
func TestRouter_AnswersWithoutEnvelope(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/", "/v2", "/v2/", "/v1/keys.verifyKey", "/v2/unheardOf.verifyKey", "/v2/keys", "/v2/keys.", "/v2/keys.a.b", "/v2/keys.a/b"} {
		re := s.visit(http.MethodPost, path)
		require.Equal(t, 404, re.Code, path)
		require.Equal(t, "404 page not found", re.Body.String(), path)
	}
	require.Equal(t, 404, s.visit(http.MethodPost, "/v2/keys.verifyKey/").Code, "a redirect would lose the credentials")
	require.Equal(t, 405, s.visit(http.MethodGet, "/v2/keys.verifyKey").Code)
	require.Equal(t, 405, s.visit(http.MethodPost, "/v2/liveness").Code)
	s.do(s.request("apis.createApi?x=1", `{"name":"abc"}`)).ok()
}

func TestConfig_IsValidated(t *testing.T) {
	node := newServer(t).ledger
	for name, config := range map[string]api.Config{
		"Node":           {},
		"MaxBodyBytes":   {Node: node, MaxBodyBytes: -1},
		"RequestTimeout": {Node: node, RequestTimeout: -1},
	} {
		_, err := api.New(config)
		require.ErrorContains(t, err, name)
	}
	_, err := api.New(api.Config{Node: node})
	require.NoError(t, err, "everything but the node has a default")

	registry := prometheus.NewRegistry()
	_, err = api.New(api.Config{Node: node, Registry: registry})
	require.NoError(t, err)
	_, err = api.New(api.Config{Node: node, Registry: registry})
	require.Error(t, err, "two APIs cannot report under one name")
}
