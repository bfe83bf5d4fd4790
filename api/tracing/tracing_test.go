package tracing

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/creditd/creditd/fsm"
)

var known, stranger = fsm.Hash{1}, fsm.Hash{2}

const (
	sampled   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func requests(t *testing.T, ratio float64) (*Requests, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder), sdk.WithSampler(sdk.AlwaysSample()))
	return New(Config{Tracer: provider.Tracer("test"), Ratio: ratio, Caller: func(actor fsm.Hash) (string, string) {
		if actor == known {
			return "ws_1", "key_1"
		}
		return "", ""
	}}), recorder
}

func header(traceparent ...string) http.Header { return http.Header{"Traceparent": traceparent} }

// Who may decide: a known caller, with one valid header. Everybody else is drawn by lot.
func TestBegin_WhoDecides(t *testing.T) {
	for _, test := range []struct {
		name        string
		header      http.Header
		actor       fsm.Hash
		ratio       float64
		traced, own bool // own: the trace begins here
	}{
		{"no decision, none drawn", http.Header{}, known, 0, false, false},
		{"no decision, all drawn", http.Header{}, known, 1, true, true},
		{"sampled", header(sampled), known, 0, true, false},
		{"not sampled", header(unsampled), known, 1, false, false},
		{"a stranger asks", header(sampled), stranger, 0, false, false},
		{"a stranger is drawn", header(sampled), stranger, 1, true, true},
		{"a stranger does not get out of it", header(unsampled), stranger, 1, true, true},
		{"no trace", header("00-00000000000000000000000000000000-b7ad6b7169203331-01"), known, 0, false, false},
		{"junk", header("01"), known, 0, false, false},
		{"two", header(sampled, sampled), known, 0, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _ := requests(t, test.ratio)
			ctx, span := r.Begin(t.Context(), test.header, test.actor, "/v2/keys.verifyKey", time.Now())
			if !test.traced {
				require.Nil(t, span)
				require.Equal(t, t.Context(), ctx)
				return
			}
			require.NotNil(t, span)
			require.Equal(t, test.own, span.SpanContext().TraceID().String() != "0af7651916cd43dd8448eb211c80319c")
		})
	}
}

func TestBegin_FollowsABoundedNumber(t *testing.T) {
	r, _ := requests(t, 0)
	begin, followed := time.Now(), 0
	for range 3 * MaxFollowed {
		if _, span := r.Begin(t.Context(), header(sampled), known, "/", time.Now()); span != nil {
			followed++
		}
	}
	seconds := int(time.Since(begin)/time.Second) + 2
	require.GreaterOrEqual(t, followed, MaxFollowed)
	require.LessOrEqual(t, followed, seconds*MaxFollowed)

	var p perSecond
	now := time.Unix(1000, 0)
	for range MaxFollowed {
		require.True(t, p.take(now))
	}
	require.False(t, p.take(now.Add(time.Second-1)))
	require.True(t, p.take(now.Add(time.Second)))
}

func TestEnd_SaysWhatTheRequestWas(t *testing.T) {
	r, recorder := requests(t, 1)
	start := time.Unix(1000, 0)
	for _, status := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		_, span := r.Begin(t.Context(), http.Header{}, known, "/v2/keys.verifyKey", start)
		r.End(span, Outcome{At: start.Add(time.Second), Status: status, Code: "VALID", RequestID: "req_1", Actor: known})
	}
	ended := recorder.Ended()
	require.Len(t, ended, 2)
	require.Equal(t, "POST /v2/keys.verifyKey", ended[0].Name())
	require.Equal(t, time.Second, ended[0].EndTime().Sub(ended[0].StartTime()))
	said := map[string]string{}
	for _, a := range ended[0].Attributes() {
		said[string(a.Key)] = a.Value.String()
	}
	require.Equal(t, map[string]string{
		"http.request.method": "POST", "http.route": "/v2/keys.verifyKey", "http.response.status_code": "200", "creditd.code": "VALID",
		"creditd.request_id": "req_1", "creditd.workspace_id": "ws_1", "creditd.root_key_id": "key_1",
	}, said)
	require.Equal(t, "Unset", ended[0].Status().Code.String())
	require.Equal(t, "Error", ended[1].Status().Code.String())
}
