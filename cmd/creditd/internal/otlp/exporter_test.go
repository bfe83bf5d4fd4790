package otlp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func exporter(t *testing.T, collector http.HandlerFunc) (*Exporter, *lines) {
	t.Helper()
	server := httptest.NewServer(collector)
	t.Cleanup(server.Close)
	log := &lines{}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	e, err := New(Config{
		URL: server.URL + "/v1/traces", Headers: map[string]string{"X-Scope": "money"}, Transport: transport,
		NodeID: "node_1", NodeName: "alpha", Version: "v1.2.3", Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	return e, log
}

// flush waits until what has ended is delivered or failed.
func flush(t *testing.T, e *Exporter) {
	t.Helper()
	require.NoError(t, e.provider.ForceFlush(t.Context()))
}

func end(e *Exporter, name string) {
	_, span := e.Tracer().Start(context.Background(), name)
	span.End()
}

func TestExporter_Delivers(t *testing.T) {
	bodies := make(chan []byte, 1)
	e, log := exporter(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("X-Scope") != "money" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		body, _ := io.ReadAll(r.Body)
		bodies <- body
	})
	end(e, "one")
	e.Shutdown(t.Context()) // delivers what waits
	var sent v1.TracesData
	require.NoError(t, proto.Unmarshal(<-bodies, &sent))
	require.Len(t, sent.ResourceSpans, 1)
	require.Equal(t, "one", sent.ResourceSpans[0].ScopeSpans[0].Spans[0].Name)
	described := map[string]string{}
	for _, a := range sent.ResourceSpans[0].Resource.Attributes {
		described[a.Key] = a.Value.GetStringValue()
	}
	require.Equal(t, map[string]string{"service.name": "creditd", "service.version": "v1.2.3", "service.instance.id": "node_1", "creditd.node_name": "alpha"}, described)
	require.EqualValues(t, 1, e.delivered.Load())
	require.Zero(t, log.count("level="))
}

// A collector that does not answer delays nobody. What does not fit is dropped and counted, and the end is bounded.
func TestExporter_IsBoundedWhileTheCollectorHangs(t *testing.T) {
	asked := make(chan struct{}, 1)
	e, _ := exporter(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // only then does the server see that the client is gone
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	})
	for range batchSize {
		end(e, "stuck")
	}
	<-asked
	for range mostWaiting + 100 {
		end(e, "waiting")
	}
	require.EqualValues(t, 100, e.dropped.Load())
	require.EqualValues(t, mostWaiting, e.waiting.Load())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	e.Shutdown(ctx)
	require.Less(t, time.Since(begin), sendTimeout/2)
}

// The log says when deliveries begin to fail and when they succeed again, and nothing between.
func TestExporter_LogsChangesOnly(t *testing.T) {
	var status atomic.Int64
	status.Store(http.StatusServiceUnavailable)
	e, log := exporter(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	for range 3 {
		end(e, "lost")
		flush(t, e)
	}
	require.Equal(t, 1, log.count("level="))
	require.Equal(t, 1, log.count("the collector answered 503 Service Unavailable"))
	status.Store(http.StatusOK)
	for range 3 {
		end(e, "taken")
		flush(t, e)
	}
	require.Equal(t, 1, log.count("traces are delivered again"))
	require.Equal(t, 2, log.count("level="))
	require.NoError(t, testutil.CollectAndCompare(e.Collector(), strings.NewReader(`
# HELP creditd_trace_spans_total Spans of traces by outcome. delivered: the collector has them. failed: it did not take their batch. dropped: too many waited.
# TYPE creditd_trace_spans_total counter
creditd_trace_spans_total{outcome="delivered"} 3
creditd_trace_spans_total{outcome="dropped"} 0
creditd_trace_spans_total{outcome="failed"} 3
`)))
	e.Shutdown(t.Context())
}

// A redirect would take the headers, which may be secret, to somebody else.
func TestExporter_FollowsNoRedirect(t *testing.T) {
	var asked atomic.Int64
	e, log := exporter(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	end(e, "lost")
	e.Shutdown(t.Context())
	require.EqualValues(t, 1, asked.Load())
	require.Equal(t, 1, log.count("307"))
}
