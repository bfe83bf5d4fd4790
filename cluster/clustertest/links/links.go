// Package links injects faults into the connections between nodes, for tests only. Each direction between two nodes can be cut,
// blocked or delayed. A node goes by any name that is unique in its network, usually its peer address.
//
// Nodes in one process dial through Net.Dial. Nodes in processes of their own advertise the ports of a Proxy.
package links

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// Net holds the faults of one network.
type Net struct {
	latency func() time.Duration // of every write, before delays; nil for none

	mu      sync.Mutex
	rules   map[way]rule       // guarded by mu
	changed chan struct{}      // guarded by mu: closed and replaced when a rule changes
	conns   map[*conn]struct{} // guarded by mu
}

// way is one direction between two nodes.
type way struct{ from, to string }

func (w way) back() way { return way{w.to, w.from} }

type state uint8

const (
	up state = iota
	cut
	blocked
)

// rule is what happens to bytes of one direction.
type rule struct {
	state         state
	delay, jitter time.Duration
}

// New returns a network without faults. latency, if given, says how long the next write is under way; many goroutines call it.
func New(latency func() time.Duration) *Net {
	return &Net{latency: latency, rules: map[way]rule{}, changed: make(chan struct{}), conns: map[*conn]struct{}{}}
}

// Cut breaks all connections between two nodes. New ones fail while either direction is cut.
func (n *Net) Cut(from, to string) {
	n.change(from, to, func(r *rule) { r.state = cut })
	w := way{from, to}
	n.breakConns(func(c *conn) bool { return c.way == w || c.way == w.back() })
}

// Block holds back everything that from sends to to. As when a network drops packets, connections stay, new ones hang, and
// what waits when the block ends arrives then.
func (n *Net) Block(from, to string) { n.change(from, to, func(r *rule) { r.state = blocked }) }

// Delay makes everything that from sends to to take delay and up to jitter longer.
func (n *Net) Delay(from, to string, delay, jitter time.Duration) {
	n.change(from, to, func(r *rule) { r.delay, r.jitter = delay, jitter })
}

// Heal ends all faults of one direction.
func (n *Net) Heal(from, to string) { n.change(from, to, func(r *rule) { *r = rule{} }) }

// HealAll ends all faults.
func (n *Net) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.rules)
	n.announceLocked()
}

func (n *Net) change(from, to string, f func(*rule)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.rules[way{from, to}]
	f(&r)
	n.rules[way{from, to}] = r
	n.announceLocked()
}

func (n *Net) announceLocked() {
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *Net) breakConns(doomed func(*conn) bool) {
	n.mu.Lock()
	var all []*conn
	for c := range n.conns {
		if doomed(c) {
			all = append(all, c)
		}
	}
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close() // the other end notices; that is the point
	}
}

func (n *Net) rule(w way) (rule, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rules[w], n.changed
}

var errCut = errors.New("the link is cut")

// pass waits while a direction is blocked. The zero deadline is none.
func (n *Net) pass(giveUp <-chan struct{}, deadline time.Time, w way) error {
	var late <-chan time.Time
	for {
		r, changed := n.rule(w)
		switch r.state {
		case up:
			return nil
		case cut:
			return errCut
		}
		if late == nil && !deadline.IsZero() {
			late = time.After(time.Until(deadline))
		}
		select {
		case <-changed:
		case <-giveUp:
			return net.ErrClosed
		case <-late:
			return os.ErrDeadlineExceeded
		}
	}
}

// Dial connects one node to another by means of dial, once both directions let it: a handshake needs both.
func (n *Net) Dial(ctx context.Context, from, to string, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	w := way{from, to}
	for _, one := range []way{w, w.back()} {
		if err := n.pass(ctx.Done(), time.Time{}, one); err != nil {
			return nil, err
		}
	}
	dialled, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	c := n.Wrap(dialled, from, to)
	for _, one := range []way{w, w.back()} { // a cut from now on closes it
		if r, _ := n.rule(one); r.state == cut {
			_ = c.Close()
			return nil, errCut
		}
	}
	return c, nil
}

// Wrap returns an end of a connection whose writes suffer the faults of the direction.
func (n *Net) Wrap(end net.Conn, from, to string) net.Conn {
	c := &conn{Conn: end, net: n, way: way{from, to}, closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[c] = struct{}{}
	return c
}

// conn is one end of a connection.
type conn struct {
	net.Conn
	net    *Net
	way    way
	once   sync.Once
	closed chan struct{}

	mu       sync.Mutex
	deadline time.Time // guarded by mu: of writes
}

// Write hands bytes on once the direction lets them through. Delayed bytes keep their order.
func (c *conn) Write(p []byte) (int, error) {
	r, _ := c.net.rule(c.way)
	if err := c.wait(c.net.latencyOf(r)); err != nil {
		return 0, err
	}
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	if err := c.net.pass(c.closed, deadline, c.way); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (n *Net) latencyOf(r rule) time.Duration {
	d := r.delay
	if r.jitter > 0 {
		d += rand.N(r.jitter)
	}
	if n.latency != nil {
		d += n.latency()
	}
	return d
}

func (c *conn) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
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
		c.net.mu.Lock()
		delete(c.net.conns, c)
		c.net.mu.Unlock()
	})
	return c.Conn.Close()
}
