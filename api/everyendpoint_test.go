package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// refusedAlike are requests, otherwise in order, that every endpoint refuses in the same way. What is wrong with a root key is in
// TestPermissions_Matrix.
var refusedAlike = []struct {
	name   string
	spoil  func(r *http.Request)
	status int
	path   string
}{
	{"no JSON", func(r *http.Request) { r.Body, r.ContentLength = send("{") }, 400, invalidInput},
	{"no body", func(r *http.Request) { r.Body, r.ContentLength = send("") }, 400, invalidInput},
	{"a field nobody knows", func(r *http.Request) { r.Body, r.ContentLength = send(`{"unheardOf":1}`) }, 400, invalidInput},
	{"of another type", func(r *http.Request) { r.Body, r.ContentLength = send(`"text"`) }, 400, invalidInput},
	{"not declared as JSON", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 400, invalidInput},
	{"cut short", func(r *http.Request) { r.Body = failing(io.ErrUnexpectedEOF) }, 400, "user/bad_request/request_body_unreadable"},
	{"too slow", func(r *http.Request) { r.Body = failing(os.ErrDeadlineExceeded) }, 408, "user/bad_request/request_timeout"},
	{"announced too large", func(r *http.Request) { r.ContentLength = 10<<20 + 1 }, 413, "user/bad_request/request_body_too_large"},
}

func send(body string) (io.ReadCloser, int64) {
	return io.NopCloser(strings.NewReader(body)), int64(len(body))
}

func failing(err error) io.ReadCloser { return io.NopCloser(iotest.ErrReader(err)) }

// failedAlike are what a node may fail with, and what every endpoint makes of it.
var failedAlike = []struct {
	name   string
	err    error
	status int
	path   string
}{
	{"overloaded", fault.New(fault.Overloaded, ""), 429, "user/too_many_requests/workspace_rate_limited"},
	{"without a leader", fault.New(fault.Unavailable, ""), 503, "unkey/application/service_unavailable"},
	{"out of room", fault.New(fault.DiskFull, ""), 503, "unkey/application/service_unavailable"},
	{"too late", fault.New(fault.TimedOut, ""), 408, "user/bad_request/request_timeout"},
	{"defective", fault.New(fault.Internal, ""), 500, "unkey/application/unexpected_error"},
}

// TestEveryEndpoint_RefusesAlike: docs/contract.md 1.1, 1.2, 1.5 and 1.6, for each endpoint.
func TestEveryEndpoint_RefusesAlike(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, row := range matrix {
		for _, test := range refusedAlike {
			t.Run(row.endpoint+" "+test.name, func(t *testing.T) {
				s := s.on(t)
				r := s.request(row.endpoint, f.in(row.body))
				test.spoil(r)
				s.calls = nil
				s.do(r).fails(test.status, test.path).comesAs(row.endpoint, test.status)
				require.Empty(t, s.calls, "no business of the ledger")
			})
		}
	}
}

// TestEveryEndpoint_FailsAlike: docs/contract.md 1.5, 1.6 and 7.1, for each endpoint. None of these failures leaves a doubt; the one that
// does leaves it where something may have been changed or debited.
func TestEveryEndpoint_FailsAlike(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	_, reads := examples(t)
	for _, row := range matrix {
		ask := func(t *testing.T, fails func(method string) error) *reply {
			s := s.on(t)
			s.hook = func(context.Context) error { return fails(s.calls[len(s.calls)-1]) }
			defer func() { s.hook = nil }()
			return s.post(row.endpoint, f.in(row.body))
		}
		for _, test := range failedAlike {
			t.Run(row.endpoint+" "+test.name, func(t *testing.T) {
				re := ask(t, func(string) error { return test.err }).fails(test.status, test.path).comesAs(row.endpoint, test.status)
				require.Empty(t, re.Header().Get("Creditd-Outcome"))
			})
		}
		t.Run(row.endpoint+" in doubt", func(t *testing.T) {
			re := ask(t, func(method string) error {
				if !reads[row.endpoint] && strings.HasPrefix(method, "Answer") {
					return nil // what is asked before a change
				}
				return fault.New(fault.Unknown, "")
			})
			if reads[row.endpoint] {
				re.fails(503, "unkey/application/service_unavailable").comesAs(row.endpoint, 503)
				require.Empty(t, re.Header().Get("Creditd-Outcome"))
				return
			}
			re.fails(408, "user/bad_request/request_timeout").comesAs(row.endpoint, 408)
			require.Equal(t, "unknown", re.Header().Get("Creditd-Outcome"))
		})
	}
}

// TestEveryEndpoint_KnowsTheWorkspace: docs/contract.md 1.3, for each endpoint: all of a workspace that is disabled is closed to its own
// root keys.
func TestEveryEndpoint_KnowsTheWorkspace(t *testing.T) {
	operator := newServer(t)
	s := operator.foreign()
	f := s.fixture()
	operator.must("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"enabled":false}`, s.workspace))
	s.settle() // one endpoint is content with what its node knows
	for _, row := range matrix {
		t.Run(row.endpoint, func(t *testing.T) {
			s := s.on(t)
			s.post(row.endpoint, f.in(row.body)).fails(403, "unkey/authorization/workspace_disabled").comesAs(row.endpoint, 403)

			s.result = &fsm.Refusal{Code: fsm.WorkspaceNotFound} // no endpoint removes a workspace
			defer func() { s.result = nil }()
			s.post(row.endpoint, f.in(row.body)).fails(404, "unkey/data/workspace_not_found").comesAs(row.endpoint, 404)
		})
	}
	operator.must("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"enabled":true}`, s.workspace))
	require.Equal(t, f.apiID, s.get("id", "apis.getApi", f.in(`{"apiId":"API"}`)), "nothing has come of it")
}

// comesAs requires the headers that an error has for clients that ask as the SDKs do: docs/contract.md 1.5 and 1.6.
func (re *reply) comesAs(endpoint string, status int) *reply {
	re.t.Helper()
	contentType, wait := "application/json", ""
	if status == http.StatusTooManyRequests || endpoint == "identities.deleteIdentity" {
		contentType = "application/problem+json"
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		wait = "1"
	}
	require.Equal(re.t, contentType, re.Header().Get("Content-Type"))
	require.Equal(re.t, wait, re.Header().Get("Retry-After"))
	return re
}
