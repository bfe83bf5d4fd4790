package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// The three ways of asking a node, and an endpoint that uses each.
const (
	changing = "keys.verifyKey"
	reading  = "keys.whoami"
	someKey  = `{"key":"x"}`
)

// TestFaults_SayWhetherTheCommandRan: docs/contract.md 1.6 and 7.1. A 5xx and a 429 mean "certainly not executed". An unknown outcome is a
// 408 with Creditd-Outcome. A read never has an unknown outcome.
func TestFaults_SayWhetherTheCommandRan(t *testing.T) {
	const (
		timeout     = "user/bad_request/request_timeout"
		unavailable = "unkey/application/service_unavailable"
		unexpected  = "unkey/application/unexpected_error"
	)
	for _, test := range []struct {
		name       string
		err        error
		endpoint   string
		status     int
		path       string
		outcome    string
		retryAfter string
	}{
		{"overloaded", fault.New(fault.Overloaded, "queue full"), changing, 429, "user/too_many_requests/workspace_rate_limited", "", "1"},
		{"overloaded read", fault.New(fault.Overloaded, ""), reading, 429, "user/too_many_requests/workspace_rate_limited", "", "1"},
		{"unavailable", fault.New(fault.Unavailable, "no leader"), changing, 503, unavailable, "", "1"},
		{"unavailable read", fault.New(fault.Unavailable, ""), reading, 503, unavailable, "", "1"},
		{"timed out", fault.New(fault.TimedOut, ""), changing, 408, timeout, "", ""},
		{"timed out read", fault.New(fault.TimedOut, ""), reading, 408, timeout, "", ""},
		{"unknown", fault.New(fault.Unknown, ""), changing, 408, timeout, "unknown", ""},
		{"unknown read", fault.New(fault.Unknown, ""), reading, 503, unavailable, "", "1"},
		{"invalid", fault.New(fault.Invalid, "no such node"), changing, 400, "unkey/application/invalid_input", "", ""},
		{"unsupported", fault.New(fault.Unsupported, "a node is too old"), changing, 412, "unkey/application/precondition_failed", "", ""},
		{"too large", fault.New(fault.TooLarge, ""), changing, 413, "user/bad_request/request_body_too_large", "", ""},
		{"internal", fault.New(fault.Internal, "secret of ours"), changing, 500, unexpected, "", ""},
		{"wrapped", errors.Join(errors.New("while forwarding"), fault.New(fault.Unavailable, "")), changing, 503, unavailable, "", "1"},
		// An error that does not say so cannot be taken to mean that nothing happened.
		{"no fault at all", errors.New("disk on fire"), changing, 408, timeout, "unknown", ""},
		{"no fault at all, read", errors.New("disk on fire"), reading, 503, unavailable, "", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			s.hook = func(context.Context) error { return test.err }
			re := s.post(test.endpoint, someKey).fails(test.status, test.path)
			require.Equal(t, test.outcome, re.Header().Get("Creditd-Outcome"))
			require.Equal(t, test.retryAfter, re.Header().Get("Retry-After"))
			require.NotContains(t, re.text, "disk on fire", "a cause is for logs only")
			require.NotContains(t, re.text, "secret of ours", "a defect is for logs only")
			require.Empty(t, re.Header().Get("Creditd-Index"))
		})
	}
}

// TestFaults_DefectsAreLogged, once, with what finds the request again, and without what it said.
func TestFaults_DefectsAreLogged(t *testing.T) {
	s := newServer(t)
	s.hook = func(context.Context) error { return fault.Wrap(fault.Internal, "", errors.New("index out of tune")) }
	re := s.post(changing, `{"key":"very_secret"}`)
	require.Equal(t, 1, strings.Count(s.log.String(), "\n"))
	require.Contains(t, s.log.String(), "index out of tune")
	require.Contains(t, s.log.String(), re.Meta.RequestID)
	require.Contains(t, s.log.String(), changing)
	require.NotContains(t, s.log.String(), "very_secret")
	require.NotContains(t, s.log.String(), rootKey)

	s.log.Reset()
	s.hook = func(context.Context) error { return fault.New(fault.Unavailable, "") }
	s.post(changing, someKey)
	require.Empty(t, s.log.String(), "no leader is not this node's defect, and a log line per request would flood")
}

// TestDeadline_BoundsTheLedger: docs/contract.md 1.1. The node sees the deadline, and what it did not finish by then is a 408.
func TestDeadline_BoundsTheLedger(t *testing.T) {
	for endpoint, outcome := range map[string]string{changing: "unknown", reading: ""} {
		s := newServer(t, func(c *api.Config) { c.RequestTimeout = time.Millisecond })
		s.hook = func(ctx context.Context) error {
			<-ctx.Done()
			return fault.Wrap(fault.Unknown, "", ctx.Err())
		}
		re := s.post(endpoint, someKey).fails(408, "user/bad_request/request_timeout")
		require.Equal(t, outcome, re.Header().Get("Creditd-Outcome"))
	}
}

// TestClientGone_IsRecordedAs499: docs/contract.md 1.1.
func TestClientGone_IsRecordedAs499(t *testing.T) {
	s := newServer(t)
	ctx, hangUp := context.WithCancel(context.Background())
	s.hook = func(ctx context.Context) error {
		hangUp()
		<-ctx.Done()
		return fault.Wrap(fault.Unknown, "", ctx.Err())
	}
	re := s.do(s.request(changing, someKey).WithContext(ctx)).fails(499, "user/bad_request/client_closed_request")
	require.Empty(t, re.Header().Get("Creditd-Outcome"))
	require.Equal(t, 1.0, s.metric("creditd_api_requests_total", "endpoint", changing, "status", "499"))
}

// TestCrash_IsAnAnswer: docs/contract.md 1.5 says how a crash looks. A 5xx means "not executed" (7.1), so a crash after the command was
// proposed is no 5xx.
func TestCrash_IsAnAnswer(t *testing.T) {
	s := newServer(t)
	s.hook = func(context.Context) error { panic("out of cheese") }
	re := s.post(reading, someKey, "Accept", "*/*").fails(500, "unkey/application/unexpected_error")
	require.Equal(t, "application/json", re.Header().Get("Content-Type"))
	require.NotContains(t, re.text, "cheese")
	require.Contains(t, s.log.String(), "out of cheese")
	require.Contains(t, s.log.String(), "errors_test.go", "the stack shows where")
	require.Equal(t, 1.0, s.metric("creditd_api_requests_total", "endpoint", reading, "status", "500"))

	re = s.post(changing, someKey, "Accept", "*/*").fails(408, "user/bad_request/request_timeout")
	require.Equal(t, "unknown", re.Header().Get("Creditd-Outcome"))
	require.Equal(t, "application/json", re.Header().Get("Content-Type"))
}

// TestCrash_OfAnotherKindOfResult: an answer nobody can show is a defect, not an empty success.
func TestCrash_OfAnotherKindOfResult(t *testing.T) {
	s := newServer(t)
	s.result = &fsm.Done{}
	s.post(reading, someKey).fails(500, "unkey/application/unexpected_error")
}

// TestCrash_AbortIsNotACrash: it is how net/http is told to drop a connection.
func TestCrash_AbortIsNotACrash(t *testing.T) {
	s := newServer(t)
	s.hook = func(context.Context) error { panic(http.ErrAbortHandler) }
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		s.handler.ServeHTTP(httptest.NewRecorder(), s.request(changing, someKey))
	})
	require.Empty(t, s.log.String())
}

// TestIDTaken_IsTriedAgain with other ids, and not forever.
func TestIDTaken_IsTriedAgain(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		taken  int
		status int
	}{{0, 200}, {1, 200}, {3, 200}, {4, 500}, {100, 500}} {
		left, seen := test.taken, 0
		s.hook = func(context.Context) error {
			seen++
			s.result = nil
			if left--; left >= 0 {
				s.result = &fsm.Refusal{Code: fsm.IDTaken}
			}
			return nil
		}
		require.Equal(t, test.status, s.post("apis.createApi", `{"name":"abc"}`).Code)
		require.LessOrEqual(t, seen, 4)
	}
}

// TestRefusals_ContentTypes: the table of docs/contract.md 1.5, first row that applies [D-2].
func TestRefusals_ContentTypes(t *testing.T) {
	const plain, problem = "application/json", "application/problem+json"
	base := newServer(t)
	for _, test := range []struct {
		name, endpoint, body, accept string
		err                          error
		want                         string
	}{
		{"as the SDKs ask", "apis.getApi", `{"apiId":"api_nothing"}`, "application/json", nil, plain},
		{"no Accept", "apis.getApi", `{"apiId":"api_nothing"}`, "", nil, plain},
		{"as curl asks", "apis.getApi", `{"apiId":"api_nothing"}`, "*/*", nil, problem},
		{"any application type", "apis.getApi", `{"apiId":"api_nothing"}`, "text/html, application/*;q=0.8", nil, problem},
		{"named", "apis.getApi", `{"apiId":"api_nothing"}`, "application/json, application/problem+json", nil, problem},
		{"schema violation", "apis.getApi", `{}`, "*/*", nil, plain},
		{"bad JSON", "apis.getApi", `{`, "*/*", nil, plain},
		{"429 whatever is asked for", "apis.getApi", `{"apiId":"api_nothing"}`, "application/json", fault.New(fault.Overloaded, ""), problem},
		{"503", "apis.getApi", `{"apiId":"api_nothing"}`, "application/json", fault.New(fault.Unavailable, ""), plain},
		{"deleteIdentity 404", "identities.deleteIdentity", `{"identity":"x"}`, "application/json", nil, problem},
		{"deleteIdentity schema violation", "identities.deleteIdentity", `{}`, "application/json", nil, problem},
		{"deleteIdentity 503", "identities.deleteIdentity", `{"identity":"x"}`, "", fault.New(fault.Unavailable, ""), problem},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := base.on(t)
			s.hook = func(context.Context) error { return test.err }
			re := s.post(test.endpoint, test.body, "Accept", test.accept)
			require.Equal(t, test.want, re.Header().Get("Content-Type"), re.text)
		})
	}
}
