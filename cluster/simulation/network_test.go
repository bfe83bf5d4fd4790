package simulation_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/clustertest/links"
)

// network carries connections between named places in memory, because waiting on a socket would stop the fake time of a bubble.
type network struct {
	*links.Net

	mu        sync.Mutex
	listeners map[string]*listener
}

// newNetwork makes a network without listeners. latency says how long the next write is under way; many goroutines call it.
func newNetwork(latency func() time.Duration) *network {
	return &network{Net: links.New(latency), listeners: map[string]*listener{}}
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
	return func(ctx context.Context, to string) (net.Conn, error) {
		return n.Dial(ctx, from, to, func(ctx context.Context) (net.Conn, error) { return n.connect(ctx, from, to) })
	}
}

// connect makes a connection and hands its far end to the listener.
func (n *network) connect(ctx context.Context, from, to string) (near net.Conn, err error) {
	n.mu.Lock()
	l := n.listeners[to]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("nobody listens at %s", to)
	}
	a, b := net.Pipe()
	near = &end{a, place(from), place(to)}
	far := n.Wrap(&end{b, place(to), place(from)}, to, from)
	select {
	case l.arriving <- far:
		return near, nil
	case <-l.closed:
		err = fmt.Errorf("nobody listens at %s", to)
	case <-ctx.Done():
		err = ctx.Err()
	}
	_, _ = near.Close(), far.Close() // never used; closing a pipe cannot fail
	return nil, err
}

// end is one end of a connection.
type end struct {
	net.Conn
	local, remote place
}

func (e *end) LocalAddr() net.Addr  { return e.local }
func (e *end) RemoteAddr() net.Addr { return e.remote }

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
