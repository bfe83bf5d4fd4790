package load

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun_CountsEveryVerificationOnce(t *testing.T) {
	node := newFakeNode(t)
	node.unready.Store(3)
	report := mustRun(t, testConfig(node))
	require.True(t, report.OK(), "%+v", report)
	require.Equal(t, uint64(node.verified.Load()), report.Requests)
	require.Equal(t, report.Requests, report.Codes["VALID"])
	require.Positive(t, report.RequestsPerSecond)
	require.Positive(t, report.LatencyMillis.P50)
	require.LessOrEqual(t, report.LatencyMillis.P9999, report.LatencyMillis.Max)
	require.Equal(t, int64(20), node.made.Load())
	require.Zero(t, node.identities.Load())
	require.Zero(t, node.apis.Load(), "the run removes what it made")
}

// TestRun_RemovesWhatItMade: a measurement leaves the ledger as it was, also one that ends early, unless it is told to keep its keys.
func TestRun_RemovesWhatItMade(t *testing.T) {
	for name, test := range map[string]struct {
		keep, refused bool
		says          string
		left          int64
	}{
		"removed": {},
		"kept":    {keep: true, left: 1, says: "kept the API api_fake1234 with its keys and the identities bench-"},
		"refused": {refused: true, left: 1, says: "remove the API api_fake1234 with its keys and the identities bench-"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			node := newFakeNode(t)
			node.refusing.Store(test.refused)
			node.verify = func(w http.ResponseWriter, _ *http.Request) {
				node.verified.Add(1)
				respond(w, `{"valid":true,"code":"VALID"}`)
				cancel()
			}
			var progress strings.Builder
			config := testConfig(node)
			config.Keys, config.IdentityShared, config.Keep, config.Progress = 5, true, test.keep, &progress
			report, err := Run(ctx, config)
			require.True(t, report.OK(), "%+v", report)
			said := progress.String()
			if test.refused {
				require.ErrorContains(t, err, "403")
				said += err.Error()
			} else {
				require.NoError(t, err)
			}
			require.Contains(t, said, test.says)
			require.Equal(t, test.left, node.apis.Load())
			require.Equal(t, test.left, node.identities.Load())
		})
	}
}

// A run that cannot create its keys removes what it has created.
func TestRun_RemovesAHalf(t *testing.T) {
	node := newFakeNode(t)
	config := testConfig(node)
	config.Keys = 3
	node.full.Store(true)
	report, err := Run(t.Context(), config)
	require.Nil(t, report)
	require.ErrorContains(t, err, "create the keys")
	require.Zero(t, node.apis.Load())
}

func TestRun_LeavesTheWarmUpOut(t *testing.T) {
	node := newFakeNode(t)
	config := testConfig(node)
	config.Warmup = config.Duration
	report := mustRun(t, config)
	require.Positive(t, report.Requests)
	require.Less(t, report.Requests, uint64(node.verified.Load()))
}

func TestRun_SpreadsConnectionsOverAddresses(t *testing.T) {
	first, second := newFakeNode(t), newFakeNode(t)
	first.verify = func(w http.ResponseWriter, _ *http.Request) {
		first.verified.Add(1)
		respond(w, `{"valid":true,"code":"VALID"}`)
	}
	second.verify = func(w http.ResponseWriter, _ *http.Request) {
		second.verified.Add(1)
		respond(w, `{"valid":true,"code":"VALID"}`)
	}
	require.True(t, mustRun(t, testConfig(first, second)).OK())
	require.Positive(t, first.verified.Load())
	require.Positive(t, second.verified.Load())
}

func TestRun_SharesIdentities(t *testing.T) {
	node := newFakeNode(t)
	node.verify = func(w http.ResponseWriter, _ *http.Request) { respond(w, `{"valid":true,"code":"VALID"}`) }
	config := testConfig(node)
	config.Keys, config.IdentityShared = 25, true
	require.True(t, mustRun(t, config).OK())
	require.Equal(t, int64(3), node.identitiesMade.Load())
	require.Zero(t, node.identities.Load())
}

// A denial is an answer of the ledger, not a failure of the run.
func TestRun_DenialsAreNoFailures(t *testing.T) {
	node := newFakeNode(t)
	config := testConfig(node)
	config.Keys, config.Cost, config.Credits = 2, 3, 10
	report := mustRun(t, config)
	require.True(t, report.OK())
	require.Equal(t, uint64(6), report.Codes["VALID"])
	require.Positive(t, report.Codes["USAGE_EXCEEDED"])
}

// A server that answers fast and wrong must not look like a fast server.
func TestRun_WrongAnswersAreFailures(t *testing.T) {
	for name, test := range map[string]struct {
		verify func(http.ResponseWriter, *http.Request)
		kind   string
	}{
		"status":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "503"},
		"contradiction": {func(w http.ResponseWriter, _ *http.Request) { respond(w, `{"valid":true,"code":"DISABLED"}`) }, "malformed body"},
		"code":          {func(w http.ResponseWriter, _ *http.Request) { respond(w, `{"valid":false,"code":"NOT_FOUND"}`) }, "unexpected code"},
		"no data":       {func(w http.ResponseWriter, _ *http.Request) { respond(w, `{}`) }, "malformed body"},
		"hang up":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "connection"},
		"not a length":  {func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() }, "malformed answer"},
		"silence":       {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			node := newFakeNode(t)
			node.verify = test.verify
			config := testConfig(node)
			config.Timeout = 100 * time.Millisecond
			report := mustRun(t, config)
			require.False(t, report.OK())
			require.Positive(t, report.Errors[test.kind], "%v", report.Errors)
			require.Zero(t, report.Requests)
		})
	}
}

// A request of several verifications counts as one request, and as several verifications.
func TestRun_CountsBatches(t *testing.T) {
	node := newFakeNode(t)
	valid, exceeded := `{"valid":true,"code":"VALID"}`, `{"valid":false,"code":"USAGE_EXCEEDED"}`
	node.verify = func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Verifications []struct{ Key string } }
		if r.URL.Path != "/v2/keys.verifyKeys" || json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Verifications) != 3 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		respond(w, `{"results":[`+valid+","+exceeded+","+valid+`]}`)
	}
	config := testConfig(node)
	config.Batch = 3
	report := mustRun(t, config)
	require.True(t, report.OK(), "%+v", report)
	require.Equal(t, 3*report.Requests, report.Codes["VALID"]+report.Codes["USAGE_EXCEEDED"])
	require.Equal(t, report.Codes["VALID"], 2*report.Codes["USAGE_EXCEEDED"])
	require.InDelta(t, 3*report.RequestsPerSecond, report.VerificationsPerSecond, 1)

	node.verify = func(w http.ResponseWriter, _ *http.Request) {
		respond(w, `{"results":[`+valid+`,{"error":{}},`+valid+`]}`)
	}
	report = mustRun(t, config)
	require.Zero(t, report.Requests)
	require.Positive(t, report.Errors["malformed body"])
}

func TestRun_KeepsTheRate(t *testing.T) {
	node := newFakeNode(t)
	config := testConfig(node)
	config.Rate, config.Duration = 200, 500*time.Millisecond
	report := mustRun(t, config)
	require.True(t, report.OK())
	require.InDelta(t, 100, report.Requests, 10)
}

// With a rate, a stall counts against every request that was due in it.
func TestRun_RateCountsWaiting(t *testing.T) {
	node := newFakeNode(t)
	node.verify = func(w http.ResponseWriter, r *http.Request) {
		if node.verified.Add(1) == 1 {
			timer := time.NewTimer(200 * time.Millisecond)
			defer timer.Stop()
			<-timer.C
		}
		respond(w, `{"valid":true,"code":"VALID"}`)
	}
	config := testConfig(node)
	config.Connections, config.Rate, config.Duration = 1, 100, 400*time.Millisecond
	report := mustRun(t, config)
	require.Greater(t, report.LatencyMillis.P90, 100.0)
}

func TestRun_EndsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	node := newFakeNode(t)
	node.verify = func(w http.ResponseWriter, _ *http.Request) {
		if node.verified.Add(1) == 10 {
			cancel()
		}
		respond(w, `{"valid":true,"code":"VALID"}`)
	}
	config := testConfig(node)
	config.Duration = time.Hour
	report, err := Run(ctx, config)
	require.NoError(t, err)
	require.True(t, report.OK())
}

func TestRun_NobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	config := testConfig()
	config.Addrs = []string{listener.Addr().String()}
	_, err = Run(t.Context(), config)
	require.ErrorContains(t, err, "create the keys")
}

func TestReport_TextAndJSON(t *testing.T) {
	report := mustRun(t, testConfig(newFakeNode(t)))
	var text strings.Builder
	require.NoError(t, report.WriteText(&text))
	for _, want := range []string{"requests/s", "p99.99", "VALID", "closed loop"} {
		require.Contains(t, text.String(), want)
	}
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	var decoded Report
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	require.Equal(t, report, decoded)
}

func TestParseAnswer_WaitsForTheWholeAnswer(t *testing.T) {
	text := "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nConnection: close\r\n\r\nabc"
	for cut := range text {
		_, _, complete, err := parseAnswer([]byte(text[:cut]))
		require.NoError(t, err)
		require.False(t, complete, "%q", text[:cut])
	}
	got, keep, complete, err := parseAnswer([]byte(text))
	require.NoError(t, err)
	require.True(t, complete)
	require.False(t, keep)
	require.Equal(t, 200, got.status)
	require.Equal(t, "abc", string(got.body))
	for _, bad := range []string{"SSH-2.0-x", text + "d", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"} {
		_, _, _, err := parseAnswer([]byte(bad))
		require.ErrorIs(t, err, errMalformed, "%q", bad)
	}
}
