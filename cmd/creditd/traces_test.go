package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/scripts/launch"
)

// traceCollector is an OTLP collector that remembers what it got.
type traceCollector struct {
	*httptest.Server
	mu    sync.Mutex
	raw   []byte                    // guarded by mu
	spans map[string][]receivedSpan // guarded by mu: by trace
}

type receivedSpan struct {
	*v1.Span
	node string
}

func (s receivedSpan) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

func collectTraces(t testing.TB) *traceCollector {
	c := &traceCollector{spans: map[string][]receivedSpan{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sent v1.TracesData
		if err != nil || proto.Unmarshal(body, &sent) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw = append(c.raw, body...)
		for _, resource := range sent.ResourceSpans {
			node := ""
			for _, a := range resource.Resource.Attributes {
				if a.Key == "service.instance.id" {
					node = a.Value.GetStringValue()
				}
			}
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					id := fmt.Sprintf("%x", span.TraceId)
					c.spans[id] = append(c.spans[id], receivedSpan{span, node})
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// tree waits until a trace has so many spans, and returns them by name.
func (c *traceCollector) tree(t testing.TB, id string, spans int) map[string]receivedSpan {
	t.Helper()
	byName := map[string]receivedSpan{}
	await(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.spans[id]) < spans {
			return false
		}
		for _, s := range c.spans[id] {
			byName[s.Name] = s
		}
		return true
	})
	require.Len(t, byName, spans)
	return byName
}

const clientSpan = "b7ad6b7169203331"

// verifyTraced verifies a key as a client that traces, and returns the id of its trace.
func verifyTraced(t testing.TB, addr, rootKey, key string, number int) (traceID string) {
	t.Helper()
	traceID = fmt.Sprintf("0af7651916cd43dd8448eb211c80%04x", number)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/v2/keys.verifyKey", strings.NewReader(`{"key":"`+key+`"}`))
	require.NoError(t, err)
	request.Header = http.Header{
		"Authorization": {"Bearer " + rootKey}, "Content-Type": {"application/json"}, "Traceparent": {"00-" + traceID + "-" + clientSpan + "-01"},
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return traceID
}

// One verification is one tree of spans, at the leader and through a follower. No span has anything secret.
func TestTraces_ShowTheWayOfAVerification(t *testing.T) {
	t.Parallel()
	collector := collectTraces(t)
	c := startTrio(t, "--otlp-endpoint", collector.URL, "--otlp-sample-ratio", "0")
	key := addCustomer(t, c.client(0), "alice", 1_000_000)
	leader := -1
	status := must[api.Status](t, c.client(0), "cluster.getStatus", object{})
	for i := range c.nodes {
		if c.id(i) == status.LeaderID {
			leader = i
		}
	}
	require.GreaterOrEqual(t, leader, 0)
	follower := (leader + 1) % 3

	must[object](t, c.client(follower), "keys.verifyKey", object{"key": key}) // opens its session, which would be in the trace
	verifyTraced(t, c.addr(leader), "root_nobody", key, 1)                    // a stranger decides nothing
	stages := []string{"queue", "replicate", "apply"}
	check := func(tree map[string]receivedSpan, serving string) (request receivedSpan) {
		request = tree["POST /v2/keys.verifyKey"]
		require.Equal(t, clientSpan, fmt.Sprintf("%x", request.ParentSpanId))
		require.Equal(t, v1.Span_SPAN_KIND_SERVER, request.Kind)
		require.Equal(t, serving, request.node)
		require.Equal(t, "VALID", request.attribute("creditd.code"))
		require.Regexp(t, `^req_`, request.attribute("creditd.request_id"))
		require.Regexp(t, `^ws_`, request.attribute("creditd.workspace_id"))
		require.NotEmpty(t, request.attribute("creditd.root_key_id"))
		for i, stage := range stages {
			require.Equal(t, c.id(leader), tree[stage].node)
			require.LessOrEqual(t, tree[stage].StartTimeUnixNano, tree[stage].EndTimeUnixNano)
			if i > 0 {
				require.Equal(t, tree[stages[i-1]].EndTimeUnixNano, tree[stage].StartTimeUnixNano)
			}
		}
		return request
	}
	tree := collector.tree(t, verifyTraced(t, c.addr(leader), testRootKey, key, 2), 4)
	request := check(tree, c.id(leader))
	for _, stage := range stages {
		require.Equal(t, request.SpanId, tree[stage].ParentSpanId)
		require.LessOrEqual(t, request.StartTimeUnixNano, tree[stage].StartTimeUnixNano)
		require.GreaterOrEqual(t, request.EndTimeUnixNano, tree[stage].EndTimeUnixNano)
	}
	tree = collector.tree(t, verifyTraced(t, c.addr(follower), testRootKey, key, 3), 5)
	request = check(tree, c.id(follower))
	require.Equal(t, request.SpanId, tree["forward"].ParentSpanId)
	require.Equal(t, c.id(follower), tree["forward"].node)
	for _, stage := range stages {
		require.Equal(t, tree["forward"].SpanId, tree[stage].ParentSpanId)
	}

	require.EqualValues(t, 999_997, balance(t, c.client(0), "alice"))
	c.stop()
	collector.Close() // waits for what is under way
	require.Len(t, collector.spans, 2)
	for _, spans := range collector.spans {
		require.LessOrEqual(t, len(spans), 5)
	}
	keyHash, rootHash := mint.Hash(key), mint.Hash(testRootKey)
	for _, secret := range [][]byte{[]byte(key), []byte(testRootKey), []byte("root_nobody"), keyHash[:], rootHash[:], fmt.Appendf(nil, "%x", keyHash), fmt.Appendf(nil, "%x", rootHash)} {
		require.False(t, bytes.Contains(collector.raw, secret), "%q", secret)
	}
}

// beforeTraces is the last commit whose build knows no traces.
const beforeTraces = "8c3193b373067e7000fe614b64e8d1a8dfed12c7"

// While a node of a build without traces leads, traced requests through the others succeed, debit once, and show the hop to it.
func TestTraces_PassALeaderOfAnEarlierBuild(t *testing.T) {
	t.Parallel()
	earlier, err := launch.Past(t.Context(), beforeTraces)
	if errors.Is(err, launch.ErrNoHistory) {
		t.Skip(err)
	}
	require.NoError(t, err)
	collector := collectTraces(t)
	c := startTrioOf(t, earlier)
	key := addCustomer(t, c.client(0), "alice", 100)
	await(t, func() bool {
		if must[api.Status](t, c.client(0), "cluster.getStatus", object{}).LeaderID == c.id(0) {
			return true
		}
		_ = c.client(0).Call(t.Context(), "cluster.transferLeadership", object{"nodeId": c.id(0)}, nil) // refused while an election goes on
		return false
	})
	c.build = binary
	for i := 1; i < 3; i++ {
		c.nodes[i].terminate()
		c.start(i, "--otlp-endpoint", collector.URL, "--otlp-sample-ratio", "0")
		c.nodes[i].await(c.nodes[i].stderr, `msg=ready`)
	}
	status := must[api.Status](t, c.client(1), "cluster.getStatus", object{})
	require.Equal(t, c.id(0), status.LeaderID)

	must[object](t, c.client(1), "keys.verifyKey", object{"key": key}) // opens its session, which would be in the trace
	tree := collector.tree(t, verifyTraced(t, c.addr(1), testRootKey, key, 7), 2)
	request := tree["POST /v2/keys.verifyKey"]
	require.Equal(t, "VALID", request.attribute("creditd.code"))
	require.Equal(t, request.SpanId, tree["forward"].ParentSpanId)
	require.Equal(t, c.id(1), tree["forward"].node)
	require.EqualValues(t, 98, balance(t, c.client(2), "alice"))
	c.stop()
}

// A collector that takes connections and never answers costs no request anything, and a stop not more than a moment.
func TestTraces_ACollectorThatHangsStopsNothing(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, silent.Close()) }()
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, otlpHeaders + "=x-tenant=a%3Db"},
		alone(t, t.TempDir(), "--otlp-endpoint", "http://"+silent.Addr().String(), "--otlp-sample-ratio", "1")...)
	address := p.await(p.stderr, `msg=started .*http=(\S+)`)[1]
	p.await(p.stderr, `msg=ready`)
	c := p.client(testRootKey)
	key := addCustomer(t, c, "alice", 1_000_000)
	for range 700 { // four spans each: more than may wait
		must[object](t, c, "keys.verifyKey", object{"key": key})
	}
	conn, err := silent.Accept()
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	asked, err := http.ReadRequest(bufio.NewReader(conn))
	require.NoError(t, err)
	require.Equal(t, "/v1/traces", asked.URL.Path)
	require.Equal(t, "a=b", asked.Header.Get("X-Tenant"))
	response, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	metrics, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Regexp(t, `creditd_trace_spans_total\{outcome="dropped"\} [1-9]`, string(metrics))
	p.terminate()
}

func TestTraces_SettingsThatCannotBe(t *testing.T) {
	for raw, says := range map[string]string{
		"collector:4318": "not an address", "ftp://a": "not an address", "http://": "not an address", "http://me:secret@a": "must not hold a password", "http://a?b=c": "must not have a query",
	} {
		_, err := parseCollector(raw)
		require.ErrorContains(t, err, says, raw)
		require.NotContains(t, err.Error(), "secret")
	}
	for _, raw := range []string{"-0.1", "1.1", "NaN", "much", ""} {
		_, err := parseRatio(raw)
		require.Error(t, err, raw)
	}
	headers, err := parseOTLPHeaders("authorization=Bearer%20x=, a = b ,")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"authorization": "Bearer x=", "a": "b"}, headers)
	_, err = parseOTLPHeaders("a=b,secret")
	require.ErrorContains(t, err, "part 2")
	require.NotContains(t, err.Error(), "secret")
}
