package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/handshakes"
	"github.com/creditd/creditd/cluster/lobby"
)

// connections is the listener of the HTTP port with a bound on open connections. When it is full, a new connection takes the place of the
// one that has waited longest for a request. While all are busy, new ones wait to be accepted.
type connections struct {
	net.Listener
	limit   int
	evicted prometheus.Counter

	failures *handshakes.Failures // of TLS handshakes, by host
	refused  prometheus.Counter   // connections of hosts with too many

	mu      sync.Mutex
	freed   sync.Cond // mu; a connection ended or began to wait, or the listener was closed
	open    int       // guarded by mu
	closed  bool      // guarded by mu
	waiting waitList  // guarded by mu
}

// servedConn is an open connection.
type servedConn struct {
	*net.TCPConn
	of         *connections
	hangUp     func()      // told when the client is gone; nil: nobody is
	prev, next *servedConn // in the list of those that wait for a request; nil: it does not wait. Guarded by of.mu
	ended      bool        // guarded by of.mu
}

func limitConnections(l net.Listener, limit, failedHandshakes int) *connections {
	c := &connections{Listener: l, limit: limit, failures: &handshakes.Failures{Most: failedHandshakes, Networks: true}, refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "creditd_http_tls_handshakes_refused_total",
		Help: "Connections to the HTTP port that were closed before their TLS handshake, because too many of their host had failed within a second.",
	}), evicted: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "creditd_http_connections_evicted_total", Help: "Connections without a request that were closed to make room for new ones.",
	})}
	c.freed.L = &c.mu
	c.waiting.init()
	return c
}

func (c *connections) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		c.evicted, c.refused,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "creditd_http_connections", Help: "Open connections of the HTTP port.",
		}, func() float64 {
			c.mu.Lock()
			defer c.mu.Unlock()
			return float64(c.open)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "creditd_http_connections_limit", Help: "Bound of creditd_http_connections.",
		}, func() float64 { return float64(c.limit) }),
	}
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	accepted, err := c.Listener.Accept()
	for err == nil && !c.failures.Allows(accepted.RemoteAddr().String(), time.Now()) {
		c.refused.Inc()
		lobby.Abort(accepted)
		accepted, err = c.Listener.Accept()
	}
	if err != nil {
		return nil, err
	}
	conn := &servedConn{TCPConn: accepted.(*net.TCPConn), of: c}
	if !c.makeRoom() {
		_ = accepted.Close()
		return nil, net.ErrClosed
	}
	return conn, nil
}

// makeRoom counts one more connection, as soon as there is room for it. It returns false if the listener is closed.
func (c *connections) makeRoom() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.limit && !c.closed {
		oldest := c.waiting.first()
		if oldest == nil {
			c.freed.Wait()
			continue
		}
		c.evicted.Inc()
		c.end(oldest)
		_ = oldest.TCPConn.Close()
	}
	c.open++
	return !c.closed
}

// end takes a connection off the books, once.
func (c *connections) end(conn *servedConn) {
	if !conn.ended {
		conn.ended = true
		conn.remove()
		c.open--
		c.freed.Signal()
	}
}

// Close implements net.Listener.
func (c *connections) Close() error {
	c.mu.Lock()
	c.closed = true
	c.freed.Broadcast()
	c.mu.Unlock()
	return c.Listener.Close()
}

// Close implements net.Conn.
func (conn *servedConn) Close() error {
	conn.of.mu.Lock()
	conn.of.end(conn)
	conn.of.mu.Unlock()
	return conn.TCPConn.Close()
}

// Read implements net.Conn. net/http reads while a request is served, so it notices here that the client hung up.
func (conn *servedConn) Read(b []byte) (int, error) {
	n, err := conn.TCPConn.Read(b)
	if err != nil && conn.hangUp != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		conn.hangUp()
	}
	return n, err
}

// contextOf is http.Server.ConnContext of a server for package api.
func contextOf(ctx context.Context, conn net.Conn) context.Context {
	ctx, servedBy(conn).hangUp = api.ConnContext(ctx)
	return ctx
}

// servedBy finds the connection below TLS.
func servedBy(conn net.Conn) *servedConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return conn.(*servedConn)
}

// observe is http.Server.ConnState. A connection that has sent nothing yet, or has not ended its TLS handshake, waits like one between two
// requests. One of HTTP/2 waits while it has no stream.
func (c *connections) observe(conn net.Conn, state http.ConnState) {
	served := servedBy(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	served.remove()
	if !served.ended && (state == http.StateNew || state == http.StateIdle) {
		c.waiting.add(served)
		if c.open >= c.limit {
			c.freed.Signal()
		}
	}
}

// waitList is a ring of connections, the one that has waited longest first.
type waitList struct{ root servedConn }

func (l *waitList) init() { l.root.prev, l.root.next = &l.root, &l.root }

func (l *waitList) first() *servedConn {
	if l.root.next == &l.root {
		return nil
	}
	return l.root.next
}

func (l *waitList) add(conn *servedConn) {
	conn.prev, conn.next = l.root.prev, &l.root
	conn.prev.next, conn.next.prev = conn, conn
}

// remove takes a connection out of the list that it is in, if any.
func (conn *servedConn) remove() {
	if conn.next != nil {
		conn.prev.next, conn.next.prev = conn.next, conn.prev
		conn.prev, conn.next = nil, nil
	}
}
