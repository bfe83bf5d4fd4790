package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// network carries connections between named places in memory, because waiting on a socket would stop the fake time of a bubble. Links can
// be cut, or fall silent.
type network struct {
	latency func() time.Duration

	mu        sync.Mutex
	listeners map[string]*listener
	states    map[[2]string]linkState // by sender and receiver
	changed   chan struct{}           // closed and replaced when a state changes
	conns     map[*conn]bool
}

// linkState is what a link does to what is sent over it in one direction.
type linkState uint8

// The states.
const (
	up   linkState = iota
	cut            // connections break and none can be made
	dark           // nothing arrives, and nobody is told: writes and dials wait
)

// newNetwork makes a network without listeners. latency says how long the next write is under way; it is called by many goroutines.
func newNetwork(latency func() time.Duration) *network {
	return &network{
		latency: latency, listeners: map[string]*listener{}, states: map[[2]string]linkState{}, changed: make(chan struct{}), conns: map[*conn]bool{},
	}
}

// listen opens an address.
func (n *network) listen(addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[addr] != nil {
		return nil, fmt.Errorf("%s is in use", addr)
	}
	l := &listener{network: n, addr: place(addr), arriving: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[addr] = l
	return l, nil
}

// dialFrom returns the dialer of the node at an address.
func (n *network) dialFrom(from string) func(ctx context.Context, to string) (net.Conn, error) {
	return func(ctx context.Context, to string) (net.Conn, error) { return n.dial(ctx, from, to) }
}

func (n *network) dial(ctx context.Context, from, to string) (net.Conn, error) {
	for _, way := range [][2]string{{from, to}, {to, from}} { // a connection needs an answer
		if err := n.pass(ctx.Done(), time.Time{}, way[0], way[1]); err != nil {
			return nil, err
		}
	}
	n.mu.Lock()
	l := n.listeners[to]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("nobody listens at %s", to)
	}
	near, far := n.join(from, to)
	select {
	case l.arriving <- far:
		return near, nil
	case <-l.closed:
		_, _ = near.Close(), far.Close() // never used; closing a pipe cannot fail
		return nil, fmt.Errorf("nobody listens at %s", to)
	case <-ctx.Done():
		_, _ = near.Close(), far.Close()
		return nil, ctx.Err()
	}
}

// join makes the two ends of a connection.
func (n *network) join(from, to string) (near, far *conn) {
	a, b := net.Pipe()
	near = &conn{Conn: a, network: n, from: from, to: to, closed: make(chan struct{})}
	far = &conn{Conn: b, network: n, from: to, to: from, closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[near], n.conns[far] = true, true
	return near, far
}

// set changes a link in one direction.
func (n *network) set(from, to string, state linkState) {
	n.mu.Lock()
	n.states[[2]string{from, to}] = state
	close(n.changed)
	n.changed = make(chan struct{})
	var broken []*conn
	for c := range n.conns {
		if state == cut && pair(c.from, c.to) == pair(from, to) {
			broken = append(broken, c)
		}
	}
	n.mu.Unlock()
	for _, c := range broken {
		_ = c.Close() // the other end notices; that is the point
	}
}

var errCut = errors.New("the link is cut")

// pass waits while a link is dark. The zero deadline is none.
func (n *network) pass(giveUp <-chan struct{}, deadline time.Time, from, to string) error {
	var late <-chan time.Time
	if !deadline.IsZero() {
		late = time.After(time.Until(deadline))
	}
	for {
		n.mu.Lock()
		state, changed := n.states[[2]string{from, to}], n.changed
		n.mu.Unlock()
		switch state {
		case up:
			return nil
		case cut:
			return errCut
		}
		select {
		case <-changed:
		case <-giveUp:
			return errCut
		case <-late:
			return os.ErrDeadlineExceeded
		}
	}
}

// conn is one end of a connection.
type conn struct {
	net.Conn
	network  *network
	from, to string
	once     sync.Once
	closed   chan struct{}

	mu       sync.Mutex
	deadline time.Time // guarded by mu: for writes
}

// Write hands bytes on when the link lets them through.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	time.Sleep(c.network.latency())
	if err := c.network.pass(c.closed, deadline, c.from, c.to); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.network.mu.Lock()
		delete(c.network.conns, c)
		c.network.mu.Unlock()
	})
	return c.Conn.Close()
}

func (c *conn) LocalAddr() net.Addr  { return place(c.from) }
func (c *conn) RemoteAddr() net.Addr { return place(c.to) }

func pair(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

type listener struct {
	network  *network
	addr     place
	arriving chan net.Conn
	once     sync.Once
	closed   chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.arriving:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		delete(l.network.listeners, string(l.addr))
		l.network.mu.Unlock()
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

// place is an address in a network.
type place string

func (p place) Network() string { return "memory" }
func (p place) String() string  { return string(p) }
