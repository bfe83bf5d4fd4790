package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
)

const rootKey = "root_test"

// serve starts a node that handler stands for, and returns a client of it.
func serve(t *testing.T, handler http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := client.New(client.Config{Node: server.URL, RootKey: rootKey, Timeout: 5 * time.Second})
	t.Cleanup(c.Close)
	return c
}

func say(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// The checks of the scripts depend on this: an unknown call that counts as "not executed" hides a double debit.
func TestCall_KnowsTheOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    client.Outcome
		status  int
	}{
		"200":         {say(200, `{"meta":{},"data":{"x":1}}`), client.Executed, 200},
		"429":         {say(429, ""), client.NotExecuted, 429},
		"503":         {say(503, ""), client.NotExecuted, 503},
		"plain 408":   {say(408, ""), client.NotExecuted, 408},
		"unknown 408": {say(408, "", "Creditd-Outcome", "unknown"), client.Unknown, 408},
		"500":         {say(500, ""), client.Refused, 500},
		"404":         {say(404, `{"meta":{},"error":{}}`), client.Refused, 404},
		"redirect":    {say(307, "", "Location", "/elsewhere"), client.Refused, 307},
		"nonsense":    {say(200, "nonsense"), client.Refused, 200},
		"no envelope": {say(200, `{"data":{"x":1}}`), client.Refused, 200},
		"other data":  {say(200, `{"meta":{},"data":[]}`), client.Refused, 200},
		"hang up":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, client.Unknown, 0},
		"cut short":   {say(200, `{"data":`, "Content-Length", "100"), client.Unknown, 200},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, test.handler)
			for range 2 { // the second call must not suffer from what the first left behind
				var data struct{ X int }
				answer := c.Call(t.Context(), "keys.verifyKey", map[string]any{}, &data)
				require.Equal(t, test.want, answer.Outcome, "%v", answer.Err)
				require.Equal(t, test.status, answer.Status)
				require.Equal(t, test.want == client.Executed, answer.Err == nil)
				require.Equal(t, test.want == client.Executed, data.X == 1)
			}
		})
	}
}

func TestCall_SendsWhatTheContractAsksFor(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text, _ := json.Marshal([]string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Idempotency-Key"), string(body)})
		say(200, `{"meta":{},"data":`+string(text)+`}`)(w, r)
	})
	var got []string
	require.NoError(t, c.Call(t.Context(), "keys.verifyKey", map[string]int{"a": 1}, &got, client.IdempotencyKey("once")).Err)
	require.Equal(t, []string{"POST", "/v2/keys.verifyKey", "Bearer " + rootKey, "application/json", "once", `{"a":1}`}, got)
}

func TestCall_ReadsHeadersAndCursor(t *testing.T) {
	answer := serve(t, say(200, `{"meta":{},"data":[],"pagination":{"hasMore":true,"cursor":"next"}}`,
		"Creditd-Index", "42", "Idempotency-Replayed", "true", "Connection", "close")).Call(t.Context(), "apis.listKeys", nil, nil)
	require.Equal(t, client.Answer{Status: 200, Index: 42, Replayed: true, Closed: true, Cursor: "next"}, answer)
}

func TestCall_TellsWhatTheNodeSaid(t *testing.T) {
	answer := serve(t, say(400, `{"meta":{"requestId":"r"},"error":{"title":"Bad Request","detail":"No.","status":400,
		"type":"https://example.com/errors/user/bad_request/invalid_input","errors":[{"location":"body.a","message":"is wrong"},{"message":"so is b"}]}}`)).
		Call(t.Context(), "keys.createKey", nil, nil)
	var refused *client.Error
	require.ErrorAs(t, answer.Err, &refused)
	require.Equal(t, "invalid_input", refused.Kind())
	require.EqualError(t, answer.Err, "keys.createKey: 400 Bad Request: No. (body.a: is wrong; so is b)")
}

func TestCall_NobodyListensIsNotExecuted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	answer := client.New(client.Config{Node: listener.Addr().String()}).Call(t.Context(), "keys.verifyKey", nil, nil)
	require.Equal(t, client.NotExecuted, answer.Outcome)
	require.ErrorIs(t, answer.Err, client.ErrUnreachable)
	require.ErrorContains(t, answer.Err, "nothing listens at http://"+listener.Addr().String())
}

func TestCall_SilenceIsUnknown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	c := client.New(client.Config{Node: listener.Addr().String(), Timeout: 50 * time.Millisecond})
	defer c.Close()
	answer := c.Call(t.Context(), "keys.verifyKey", nil, nil)
	require.Equal(t, client.Unknown, answer.Outcome)
	require.ErrorIs(t, answer.Err, client.ErrTimeout)

	c = client.New(client.Config{Node: listener.Addr().String()})
	defer c.Close()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, nil)
	defer cancel()
	answer = c.Call(ctx, "keys.verifyKey", nil, nil)
	require.Equal(t, client.Unknown, answer.Outcome)
	require.ErrorIs(t, answer.Err, context.DeadlineExceeded)
}

// net/http repeats a request with an Idempotency-Key when a kept connection breaks. Here one call must be one request.
func TestCall_IsSentOnce(t *testing.T) {
	var requests atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		say(200, `{"meta":{}}`)(w, r)
	})
	require.NoError(t, c.Call(t.Context(), "keys.verifyKey", nil, nil, client.IdempotencyKey("a")).Err)
	require.Equal(t, client.Unknown, c.Call(t.Context(), "keys.verifyKey", nil, nil, client.IdempotencyKey("b")).Outcome)
	require.EqualValues(t, 2, requests.Load())
}

func TestAt_CallsTheOtherNodeAndKeepsConnections(t *testing.T) {
	node := func(name string) *httptest.Server {
		var dialled atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			say(200, fmt.Sprintf(`{"meta":{},"data":"%s %d"}`, name, dialled.Load()))(w, r)
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				dialled.Add(1)
			}
		}
		server.Start()
		t.Cleanup(server.Close)
		return server
	}
	first, second := node("first"), node("second")
	c := client.New(client.Config{Node: first.URL})
	defer c.Close()
	for range 3 {
		var got string
		require.NoError(t, c.Call(t.Context(), "x", nil, &got).Err)
		require.Equal(t, "first 1", got)
		require.NoError(t, c.At(strings.TrimPrefix(second.URL, "http://")).Call(t.Context(), "x", nil, &got).Err)
		require.Equal(t, "second 1", got)
	}
	require.Equal(t, first.URL, c.Node())
}

func TestGet_ReadsPages(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		say(503, r.Method+" "+r.URL.Path+r.Header.Get("Authorization"))(w, r)
	})
	status, text, err := c.Get(t.Context(), "/readyz")
	require.NoError(t, err)
	require.Equal(t, 503, status)
	require.Equal(t, "GET /readyz", string(text))
}
