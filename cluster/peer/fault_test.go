package peer

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
)

var errInjected = errors.New("injected fault")

// faultLink is a dialer whose connections can be held and broken, and which
// counts what is written to them.
type faultLink struct {
	mu       sync.Mutex
	refuse   bool
	conns    []*faultConn
	writes   [][]byte
	gate     chan struct{} // while set, a write waits for its close
	waiting  int           // writes at the gate
	failFrom int           // accept this many more bytes, then fail; -1: never
}

func newFaultLink() *faultLink { return &faultLink{failFrom: -1} }

func (f *faultLink) dialer() Dialer { return Dialer{Dial: f.dial} }

func (f *faultLink) dial(ctx context.Context, addr string) (net.Conn, error) {
	f.mu.Lock()
	refuse := f.refuse
	f.mu.Unlock()
	if refuse {
		return nil, errInjected
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &faultConn{Conn: conn, link: f, closed: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, c)
	return c, nil
}

// hold makes writes wait until the returned function is called.
func (f *faultLink) hold() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.gate = gate
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.gate = nil
		close(gate)
	}
}

func (f *faultLink) failAfter(bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failFrom = bytes
}

func (f *faultLink) setRefuse(refuse bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = refuse
}

// cut closes every connection, as a lost link would.
func (f *faultLink) cut() {
	f.mu.Lock()
	conns := f.conns
	f.conns = nil
	f.mu.Unlock()
	for _, c := range conns {
		_ = c.Conn.Close()
	}
}

func (f *faultLink) writesSoFar() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.writes)
}

func (f *faultLink) writesWaiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting
}

func (f *faultLink) dials() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.conns)
}

// awaitHeldWrite waits until the writer stands at the gate.
func (f *faultLink) awaitHeldWrite(tb testing.TB) {
	tb.Helper()
	eventually(tb, func() bool { return f.writesWaiting() > 0 }, "no write reached the gate")
}

type faultConn struct {
	net.Conn
	link   *faultLink
	once   sync.Once
	closed chan struct{}
}

func (c *faultConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *faultConn) Write(b []byte) (int, error) {
	if err := c.pass(); err != nil {
		return 0, err
	}
	c.link.mu.Lock()
	c.link.writes = append(c.link.writes, append([]byte(nil), b...))
	allowed := len(b)
	if c.link.failFrom >= 0 {
		allowed = min(allowed, c.link.failFrom)
		c.link.failFrom -= allowed
	}
	c.link.mu.Unlock()

	n, err := c.Conn.Write(b[:allowed])
	if err == nil && allowed < len(b) {
		err = errInjected
	}
	return n, err
}

// pass waits at the gate.
func (c *faultConn) pass() error {
	c.link.mu.Lock()
	gate := c.link.gate
	if gate == nil {
		c.link.mu.Unlock()
		return nil
	}
	c.link.waiting++
	c.link.mu.Unlock()
	defer func() {
		c.link.mu.Lock()
		c.link.waiting--
		c.link.mu.Unlock()
	}()
	select {
	case <-gate:
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
}
