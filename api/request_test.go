package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/creditd/creditd/api"
	"github.com/stretchr/testify/require"
)

// item returns the only item of errors.
func (re *reply) item() (location, message, fix string) {
	re.t.Helper()
	require.Len(re.t, *re.Error.Errors, 1, re.text)
	i := (*re.Error.Errors)[0]
	return i.Location, i.Message, i.Fix
}

// TestOrder_FirstFailureWins: docs/contract.md 1.2. Each request fails in every later step too.
func TestOrder_FirstFailureWins(t *testing.T) {
	s := newServer(t, func(c *api.Config) { c.MaxBodyBytes = 100 })
	long := `{"name":"` + strings.Repeat("x", 200) + `"}`
	s.post("apis.createApi", long, "Authorization", "").fails(413, "user/bad_request/request_body_too_large")
	require.Equal(t, "Authorization header for 'bearer' scheme", s.post("apis.createApi", `{`, "Authorization", "", "Content-Type", "").Error.Detail)
	require.Contains(t, s.post("apis.createApi", `{`, "Content-Type", "", "Authorization", "Basic x").Error.Detail, "content type")
	require.Contains(t, s.post("apis.createApi", `{}`, "Authorization", "Basic x").Error.Detail, "failed to validate schema")
	s.post("apis.createApi", `{}`, "Authorization", "Bearer nobody").fails(400, invalidInput)
	require.Empty(t, s.calls, "none of these is the ledger's business")

	tooBig := `{"keyId":"key_x","operation":"set","value":9223372036854775808}`
	s.post("keys.updateCredits", tooBig, "Authorization", "Basic x").fails(400, "unkey/authentication/malformed")
	s.post("keys.updateCredits", tooBig, "Authorization", "Bearer nobody").fails(401, "unkey/authentication/key_not_found")
	for _, caller := range []*server{s, s.grant("nothing")} { // authenticated is enough: the key is looked up later
		re := caller.post("keys.updateCredits", tooBig).fails(400, invalidInput)
		require.Empty(t, *re.Error.Errors)
		require.Contains(t, re.Error.Detail, "value")
	}
	s.post("keys.updateCredits", `{"keyId":"key_x","operation":"set","value":1.0}`).fails(400, invalidInput)
}

// TestValidation_Shape: docs/contract.md 1.7. Package schema tests the wording in full; this is about how it is sent.
func TestValidation_Shape(t *testing.T) {
	s := newServer(t)
	re := s.post("apis.createApi", `{"name":"ab"}`).fails(400, invalidInput)
	location, message, fix := re.item()
	require.Equal(t, []string{"/properties/name/minLength", "minLength: got 2, want 3", ""}, []string{location, message, fix})
	require.Equal(t, "Bad Request", re.Error.Title)
	require.Equal(t, "POST request body for '/v2/apis.createApi' failed to validate schema", re.Error.Detail)
	require.NotContains(t, re.text, `"fix"`)

	for body, detail := range map[string]string{
		``:                "POST request body is empty for '/v2/apis.createApi'",
		`{"name":"abc"`:   "POST request body for '/v2/apis.createApi' failed to validate schema",
		`{"name":"abc"}x`: "POST request body for '/v2/apis.createApi' failed to validate schema",
	} {
		re := s.post("apis.createApi", body).fails(400, invalidInput)
		location, _, fix := re.item()
		require.Equal(t, "requestBody", location)
		require.NotEmpty(t, fix)
		require.Equal(t, detail, re.Error.Detail)
	}

	re = s.post("apis.createApi", `{"name":"abc"}`, "Authorization", "").fails(400, invalidInput)
	location, _, fix = re.item()
	require.Equal(t, "security", location)
	require.NotEmpty(t, fix)
}

// TestContentType: docs/contract.md 1.1 and 1.7.
func TestContentType(t *testing.T) {
	s := newServer(t)
	for _, good := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"} {
		s.post("apis.createApi", `{"name":"abc"}`, "Content-Type", good).ok()
	}
	for _, bad := range []string{"", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"} {
		re := s.post("apis.createApi", `{"name":"abc"}`, "Content-Type", bad, "Authorization", "Bearer nobody").fails(400, invalidInput)
		require.Equal(t, "POST operation request content type '"+bad+"' does not exist", re.Error.Detail)
		location, _, fix := re.item()
		require.Equal(t, "requestBody", location)
		require.NotEmpty(t, fix)
	}
}

// TestBody_Limits: docs/contract.md 1.10. The limit holds whether or not the length is announced.
func TestBody_Limits(t *testing.T) {
	for _, announced := range []bool{true, false} {
		s := newServer(t)
		send := func(size int) *reply {
			const frame = `{"externalId":"x","meta":{"a":""}}`
			body := strings.Replace(frame, `""`, `"`+strings.Repeat("x", size-len(frame))+`"`, 1)
			require.Len(t, body, size)
			r := s.request("identities.createIdentity", body)
			if !announced {
				r.ContentLength = -1
			}
			return s.do(r)
		}
		require.Contains(t, send(10<<20).fails(400, invalidInput).Error.Detail, "meta is too large", "the body itself is not")
		re := send(10<<20+1).fails(413, "user/bad_request/request_body_too_large")
		require.Equal(t, "close", re.Header().Get("Connection"))
		send(1 << 20).ok()
	}
}

// TestBody_ArrivesInPieces whatever the pieces are.
func TestBody_ArrivesInPieces(t *testing.T) {
	s := newServer(t)
	for _, size := range []int{10, 511, 512, 513, 5000, 70000} {
		body := fmt.Sprintf(`{"externalId":"x%d","meta":{"a":%q}}`, size, strings.Repeat("x", size))
		for i, reader := range []io.Reader{iotest.OneByteReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body))} {
			r := s.request("identities.createIdentity", "")
			r.Body, r.ContentLength = io.NopCloser(reader), int64(-i)
			want := 200
			if i > 0 {
				want = 409 // the same externalId again
			}
			require.Equal(t, want, s.do(r).Code)
		}
	}
}

// TestBody_Unreadable: docs/contract.md 1.2 and 1.6.
func TestBody_Unreadable(t *testing.T) {
	s := newServer(t)
	send := func(err error) *reply {
		r := s.request("apis.createApi", "")
		r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(err)), 10
		return s.do(r)
	}
	send(io.ErrUnexpectedEOF).fails(400, "user/bad_request/request_body_unreadable")
	send(errors.New("broken")).fails(400, "user/bad_request/request_body_unreadable")
	send(os.ErrDeadlineExceeded).fails(408, "user/bad_request/request_timeout")

	ctx, hangUp := context.WithCancel(context.Background())
	hangUp()
	r := s.request("apis.createApi", "").WithContext(ctx)
	r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(context.Canceled)), 10
	s.do(r).fails(499, "user/bad_request/client_closed_request")
}

// TestBody_ServerSeesAFullRoundTrip holds what a recorder cannot show: lengths and connections as net/http sends them.
func TestBody_ServerSeesAFullRoundTrip(t *testing.T) {
	s := newServer(t, func(c *api.Config) { c.MaxBodyBytes = 8 << 10 })
	web := httptest.NewServer(s.handler)
	defer web.Close()
	send := func(body string) *http.Response {
		r, err := http.NewRequest(http.MethodPost, web.URL+"/v2/identities.createIdentity", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+rootKey)
		answer, err := web.Client().Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	answer := send(`{"externalId":"x","meta":{"a":"` + strings.Repeat("x", 4<<10) + `"}}`)
	require.Equal(t, 200, answer.StatusCode)
	require.Positive(t, answer.ContentLength)
	answer = send(`{"externalId":"x","meta":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`)
	require.Equal(t, 413, answer.StatusCode)
	require.True(t, answer.Close)

	r, err := http.NewRequest(http.MethodPost, web.URL+"/v2/identities.getIdentity", strings.NewReader(`{"identity":"x"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+rootKey)
	answer, err = web.Client().Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Greater(t, answer.ContentLength, int64(4<<10), "a long answer announces its length too")
}

// TestHeaders_Freshness: docs/contract.md 7.1.
func TestHeaders_Freshness(t *testing.T) {
	for _, read := range []struct{ endpoint, body string }{
		{"apis.getApi", `{"apiId":"API"}`}, {"keys.getKey", `{"keyId":"KEYID"}`}, {"keys.whoami", `{"key":"SECRET"}`},
		{"identities.getIdentity", `{"identity":"IDENTITY"}`},
	} {
		t.Run(read.endpoint, func(t *testing.T) {
			s := newServer(t)
			body := s.fixture().in(read.body)
			s.settle()
			ask := func(headers ...string) string {
				s.calls, s.minimum = nil, 99
				re := s.post(read.endpoint, body, headers...)
				re.ok()
				index, err := strconv.ParseUint(re.Header().Get("Creditd-Index"), 10, 64)
				require.NoError(t, err)
				require.GreaterOrEqual(t, s.index, index)
				require.Len(t, s.calls, 1)
				return s.calls[0]
			}
			require.Equal(t, "Answer", ask())
			require.Equal(t, "AnswerStale", ask("Creditd-Consistency", "stale"))
			require.Zero(t, s.minimum)
			require.Equal(t, "AnswerStale", ask("Creditd-Min-Index", "7"))
			require.EqualValues(t, 7, s.minimum)
			require.Equal(t, "AnswerStale", ask("Creditd-Min-Index", fmt.Sprint(s.index), "Creditd-Consistency", "stale"))
			require.Equal(t, s.index, s.minimum)
			if !replicated { // there it would wait for that index
				require.Equal(t, "AnswerStale", ask("Creditd-Min-Index", "18446744073709551615", "Creditd-Consistency", "stale"))
				require.EqualValues(t, uint64(1<<64-1), s.minimum)
			}

			s.calls = nil
			for _, bad := range [][2]string{
				{"Creditd-Consistency", "strong"}, {"Creditd-Consistency", "Stale"}, {"Creditd-Min-Index", "x"},
				{"Creditd-Min-Index", "-1"}, {"Creditd-Min-Index", "18446744073709551616"},
			} {
				re := s.post(read.endpoint, body, bad[0], bad[1]).fails(400, invalidInput)
				require.Contains(t, re.Error.Detail, bad[0])
			}
			require.Empty(t, s.calls)
		})
	}
}

// TestHeaders_FreshnessIsForReads: a charge is always decided by the leader. docs/contract.md 7.1.
func TestHeaders_FreshnessIsForReads(t *testing.T) {
	s := newServer(t)
	body := s.fixture().in(`{"key":"SECRET"}`)
	s.calls = nil
	s.post("keys.verifyKey", body, "Creditd-Consistency", "whatever", "Creditd-Min-Index", "x").ok()
	require.Equal(t, []string{"Execute"}, s.calls)
}

// TestHeaders_Index stands on refusals too, which are answers of the ledger. docs/contract.md 7.1.
func TestHeaders_Index(t *testing.T) {
	s := newServer(t)
	created := s.post("apis.createApi", `{"name":"abc"}`)
	require.NotZero(t, s.index)
	require.Equal(t, fmt.Sprint(s.index), created.Header().Get("Creditd-Index"))
	missing := s.post("apis.getApi", `{"apiId":"api_nothing"}`)
	require.Equal(t, fmt.Sprint(s.index), missing.Header().Get("Creditd-Index"))
	require.Empty(t, s.post("apis.getApi", `{}`).Header().Get("Creditd-Index"))
	require.Empty(t, s.do(httptest.NewRequest(http.MethodGet, "/v2/liveness", nil)).Header().Get("Creditd-Index"))
}
