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
	"google.golang.org/protobuf/encoding/protowire"
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
# HELP creditd_trace_spans_total Spans of traces by outcome. delivered: the collector has them. rejected: it took their batch without them. failed: it did not take their batch. dropped: too many waited.
# TYPE creditd_trace_spans_total counter
creditd_trace_spans_total{outcome="delivered"} 3
creditd_trace_spans_total{outcome="dropped"} 0
creditd_trace_spans_total{outcome="failed"} 3
creditd_trace_spans_total{outcome="rejected"} 0
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

// said is a partial success as a collector sends it.
func said(rejected uint64, message string) []byte {
	var p []byte
	if rejected != 0 {
		p = protowire.AppendVarint(protowire.AppendTag(p, 1, protowire.VarintType), rejected)
	}
	if message != "" {
		p = protowire.AppendString(protowire.AppendTag(p, 2, protowire.BytesType), message)
	}
	answer := protowire.AppendVarint(protowire.AppendTag(nil, 77, protowire.VarintType), 5) // a field of the future
	return protowire.AppendBytes(protowire.AppendTag(answer, 1, protowire.BytesType), p)
}

// A collector may answer 200 and reject spans all the same. They are counted, and the log has one line whatever the batches between bring.
func TestExporter_CountsWhatTheCollectorRejects(t *testing.T) {
	answers := make(chan []byte, 1)
	e, log := exporter(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		_, _ = w.Write(<-answers)
	})
	deliver := func(spans int, answer []byte) {
		t.Helper()
		for range spans {
			end(e, "span")
		}
		answers <- answer
		flush(t, e)
	}
	deliver(3, said(2, "attribute too long"))
	deliver(3, nil)
	deliver(3, said(1, "attribute too long"))
	require.EqualValues(t, 3, e.rejected.Load())
	require.EqualValues(t, 6, e.delivered.Load())
	require.Equal(t, 1, log.count("rejects spans"))
	require.Equal(t, 1, log.count(`says="attribute too long"`))

	deliver(1, said(99, "")) // more than it got
	require.EqualValues(t, 4, e.rejected.Load())
	deliver(2, said(0, "a deprecated path"))
	deliver(2, said(0, "a deprecated path"))
	require.Equal(t, 1, log.count(`says="a deprecated path"`))

	for _, answer := range [][]byte{[]byte("{}"), []byte("ok"), said(2, "cut")[:6], said(1<<63, ""), said(0, "")} {
		deliver(1, answer)
	}
	require.EqualValues(t, 4, e.rejected.Load())
	require.EqualValues(t, 6+4+5, e.delivered.Load())
	require.Zero(t, e.failed.Load())
	require.Equal(t, 2, log.count("level="))
	e.Shutdown(t.Context())
}
