package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// limited serves with a bound on connections. Its handler reads the whole body.
func limited(t *testing.T, limit int) (conns *connections, dial func() *bufferedConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns = limitConnections(l, limit, 0)
	server := &http.Server{ConnState: conns.observe, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(conns) }()
	t.Cleanup(func() {
		_ = server.Close() // of a listener that a test has closed: an error
		require.Error(t, <-served)
	})
	return conns, func() *bufferedConn {
		conn, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		return &bufferedConn{conn, bufio.NewReader(conn)}
	}
}

type bufferedConn struct {
	net.Conn
	in *bufio.Reader
}

// send sends a request with a body of one byte, or without that byte.
func (c *bufferedConn) send(t *testing.T, body string) *bufferedConn {
	t.Helper()
	_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"+body)
	require.NoError(t, err)
	return c
}

// answered waits for an answer.
func (c *bufferedConn) answered(t *testing.T) *bufferedConn {
	t.Helper()
	re, err := http.ReadResponse(c.in, nil)
	require.NoError(t, err)
	require.NoError(t, re.Body.Close())
	return c
}

func (c *connections) now() (open, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := c.waiting.root.next; conn != &c.waiting.root; conn = conn.next {
		waiting++
	}
	return c.open, waiting
}

// A new connection takes the place of the one that waits longest for a request, used or not. The others stay.
func TestConnections_TheOldestIdleOneMakesRoom(t *testing.T) {
	conns, dial := limited(t, 3)
	silent := dial()
	await(t, func() bool { open, _ := conns.now(); return open == 1 })
	first, second := dial().send(t, "x").answered(t), dial().send(t, "x").answered(t)
	await(t, func() bool { _, waiting := conns.now(); return waiting == 3 })
	third := dial().send(t, "x").answered(t)
	_, err := silent.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	first.send(t, "x").answered(t) // now the second has waited longest
	await(t, func() bool { _, waiting := conns.now(); return waiting == 3 })
	dial().send(t, "x").answered(t)
	_, err = second.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	first.send(t, "x").answered(t)
	third.send(t, "x").answered(t)
	open, _ := conns.now()
	require.Equal(t, 3, open)
}

// While all connections are busy, a new one waits. None of them is cut.
func TestConnections_BusyOnesStay(t *testing.T) {
	conns, dial := limited(t, 2)
	first, second := dial().send(t, ""), dial().send(t, "")
	await(t, func() bool { open, waiting := conns.now(); return open == 2 && waiting == 0 })
	third := dial().send(t, "x")
	require.NoError(t, third.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := third.in.Peek(1)
	require.ErrorContains(t, err, "timeout")
	require.NoError(t, third.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(second, "x")
	require.NoError(t, err)
	second.answered(t)
	third.answered(t)
	_, err = io.WriteString(first, "x")
	require.NoError(t, err)
	first.answered(t)
}

// A listener that is closed while a connection waits for room ends, and so does the server.
func TestConnections_CloseWhileFull(t *testing.T) {
	conns, dial := limited(t, 1)
	dial().send(t, "")
	await(t, func() bool { open, waiting := conns.now(); return open == 1 && waiting == 0 })
	dial()
	require.NoError(t, conns.Close())
}

// Every connection that ends leaves the books, however it ends.
func TestConnections_AreCounted(t *testing.T) {
	conns, dial := limited(t, 10)
	for range 5 {
		dial().Close()
		dial().send(t, "x").Close()
		dial().send(t, "").Close()
	}
	await(t, func() bool { open, waiting := conns.now(); return open == 0 && waiting == 0 })
	registry := prometheus.NewRegistry()
	for _, c := range conns.collectors() {
		require.NoError(t, registry.Register(c))
	}
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 4)
}

// A request with many headers does not stay while its body arrives.
func TestServer_BoundsHeaders(t *testing.T) {
	reached := false
	handler := boundingHeaders(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for n, code := range map[int]int{maxHeaderNames: http.StatusOK, maxHeaderNames + 1: http.StatusRequestHeaderFieldsTooLarge} {
		r, err := http.NewRequest(http.MethodPost, "/", nil)
		require.NoError(t, err)
		for i := range n {
			r.Header.Set(fmt.Sprint("X-", i), "x")
		}
		w := httptest.NewRecorder()
		reached = false
		handler.ServeHTTP(w, r)
		require.Equal(t, code, w.Code)
		require.Equal(t, code == http.StatusOK, reached)
	}
}

// Idle connections leave descriptors for the log: the node makes the next segment, and serves whoever comes.
func TestConnections_LeaveDescriptorsForTheLog(t *testing.T) {
	args := alone(t, t.TempDir(), "--disk-reserve", "0")
	p := startBinary(t, "/bin/sh", []string{"CREDITD_ROOT_KEY=" + testRootKey}, append([]string{"-c", `ulimit -n 200 && exec "$0" "$@"`, binary}, args...)...)
	p.await(p.stderr, `msg=ready`)
	address := p.await(p.stderr, `msg=started .*http=(\S+)`)[1]
	for range 400 {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer conn.Close()
	}
	c := p.client(testRootKey)
	meta := object{"a": strings.Repeat("x", 1<<20-100)}
	for i := range 70 { // a segment has 64 MiB
		must[object](t, c, "identities.createIdentity", object{"externalId": fmt.Sprint("fat", i), "meta": meta})
	}
	re, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer re.Body.Close()
	text, err := io.ReadAll(re.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), "\ncreditd_http_connections_limit 100\n")
	require.NotContains(t, string(text), "\ncreditd_http_connections_evicted_total 0\n")
	require.NoError(t, c.Call(context.Background(), "cluster.getStatus", object{}, nil).Err)
	p.terminate()
}

// More connections than descriptors are refused at the start.
func TestServer_RefusesMoreConnectionsThanDescriptors(t *testing.T) {
	args := alone(t, t.TempDir(), "--max-connections", "101")
	p := startBinary(t, "/bin/sh", nil, append([]string{"-c", `ulimit -n 200 && exec "$0" "$@"`, binary}, args...)...)
	require.Equal(t, exitUsage, p.wait())
	require.Contains(t, p.stderr.String(), "101 are too many: this process may have 200 file descriptors, of which 100 are reserved")
}

// A handshake costs a signature. A host whose handshakes fail is closed unread until the second is over; then it is served again.
func TestConnections_BoundFailedHandshakesOfAHost(t *testing.T) {
	const most = 3
	errorLog := &serverLog{log: slog.New(slog.DiscardHandler)}
	conns, address, conf := securedBy(t, 100, &streams{limit: 100, patience: time.Second}, http.NotFoundHandler(), errorLog, func(c *connections) {
		c.failures.Most, c.failures.Local = most, true
		errorLog.failures = c.failures
	})
	shake := func() error {
		conn, err := tls.Dial("tcp", address, conf)
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	require.NoError(t, shake())
	refused := func() float64 {
		var m dto.Metric
		require.NoError(t, conns.refused.Write(&m))
		return m.GetCounter().GetValue()
	}
	await(t, func() bool { // the failures may fall into two seconds
		for range most + 1 {
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the server has noted the failure
			require.NoError(t, errors.Join(err, conn.Close()))
		}
		return refused() > 0
	})
	await(t, func() bool { return shake() == nil })
}

// blockingNode executes nothing before the caller's patience has ended.
type blockingNode struct {
	api.Node
	entered chan struct{}
}

func (blockingNode) RequestQuota(fsm.Hash) (string, int64) { return "", 0 }

func (n blockingNode) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	if call.Command.(*fsm.VerifyKey).Cost == 0 {
		return &fsm.Verdict{Code: fsm.NotFound}, 1, nil
	}
	n.entered <- struct{}{}
	<-ctx.Done()
	return nil, 0, fault.Wrap(fault.Unknown, "", ctx.Err())
}

// A client that hangs up while its request waits frees what the request holds, docs/contract.md 1.1. Requests before it on the connection
// do not count as its end: net/http aborts a read with each answer. With TLS, the last record that the server reads ends the session.
func TestConnections_TellOfAClientThatHangsUp(t *testing.T) {
	for name, dial := range map[string]func(*testing.T, http.Handler) net.Conn{
		"plain": func(t *testing.T, handler http.Handler) net.Conn {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			conns := limitConnections(l, 10, 0)
			server := &http.Server{ConnState: conns.observe, ConnContext: contextOf, Handler: handler}
			ended := make(chan error, 1)
			go func() { ended <- server.Serve(conns) }()
			t.Cleanup(func() {
				require.NoError(t, server.Close())
				require.Error(t, <-ended)
			})
			conn, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			return conn
		},
		"TLS": func(t *testing.T, handler http.Handler) net.Conn {
			_, address, conf := secured(t, 10, handler)
			conn, err := tls.Dial("tcp", address, conf)
			require.NoError(t, err)
			return conn
		},
	} {
		t.Run(name, func(t *testing.T) { hangsUp(t, dial) })
	}
}

func hangsUp(t *testing.T, dial func(*testing.T, http.Handler) net.Conn) {
	t.Helper()
	node, registry := blockingNode{entered: make(chan struct{})}, prometheus.NewRegistry()
	served, err := api.New(api.Config{Node: node, Registry: registry, RequestTimeout: time.Hour})
	require.NoError(t, err)
	left := make(chan struct{})
	conn := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Handler().ServeHTTP(w, r)
		left <- struct{}{}
	}))
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	in := bufio.NewReader(conn)
	for cost := range 2 {
		for range 3 {
			body := fmt.Sprintf(`{"key":"sk_1","credits":{"cost":%d}}`, cost)
			_, err = fmt.Fprintf(conn, "POST /v2/keys.verifyKey HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer root_1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				len(body), body)
			require.NoError(t, err)
			if cost > 0 {
				break
			}
			within(t, left)
			re, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, re.StatusCode)
			require.NoError(t, re.Body.Close())
		}
	}
	within(t, node.entered)
	require.NoError(t, conn.Close())
	within(t, left)
	require.Equal(t, map[string]float64{"200": 3, "499": 1}, requestsByStatus(t, registry))
}

// within waits for a signal.
func within(t *testing.T, signal <-chan struct{}) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(patience):
		t.Fatal("waited in vain")
	}
}

// requestsByStatus are the counters of requests, without those at zero.
func requestsByStatus(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	counts := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if value := m.GetCounter().GetValue(); family.GetName() == "creditd_api_requests_total" && value > 0 {
				for _, pair := range m.GetLabel() {
					if pair.GetName() == "status" {
						counts[pair.GetValue()] += value
					}
				}
			}
		}
	}
	return counts
}
