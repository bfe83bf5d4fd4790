package links

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Net is the network of a cluster.
type Net struct {
	targets []string
	who     func(conn net.Conn) (node int, known bool)
	ports   []net.Listener

	mu      sync.Mutex
	rules   map[direction]rule    // guarded by mu
	changed chan struct{}         // guarded by mu: closed and replaced whenever a rule changes
	conns   map[net.Conn]struct{} // guarded by mu
	closed  bool                  // guarded by mu
	group   sync.WaitGroup
}

type direction struct{ from, to int }

// rule says what happens to bytes of one direction.
type rule struct {
	blocked       bool
	delay, jitter time.Duration
}

// New listens for each target, the peer port of node i. who tells which node the other end of a connection is.
func New(targets []string, who func(conn net.Conn) (node int, known bool)) (*Net, error) {
	n := &Net{targets: targets, who: who, rules: map[direction]rule{}, changed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	for range targets {
		port, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			n.Close()
			return nil, err
		}
		n.ports = append(n.ports, port)
	}
	for i := range n.ports {
		n.group.Go(func() { n.accept(i) })
	}
	return n, nil
}

// Addr is what node i has to advertise.
func (n *Net) Addr(i int) string { return n.ports[i].Addr().String() }

// Block stops everything that from sends to to.
func (n *Net) Block(from, to int) {
	n.change(func() { r := n.rules[direction{from, to}]; r.blocked = true; n.rules[direction{from, to}] = r })
}

// Delay holds everything that from sends to to back for delay and up to jitter more.
func (n *Net) Delay(from, to int, delay, jitter time.Duration) {
	n.change(func() {
		r := n.rules[direction{from, to}]
		r.delay, r.jitter = delay, jitter
		n.rules[direction{from, to}] = r
	})
}

// Heal ends all blocks and delays.
func (n *Net) Heal() { n.change(func() { clear(n.rules) }) }

func (n *Net) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

// Close ends every connection and waits for it.
func (n *Net) Close() {
	n.mu.Lock()
	n.closed = true
	for conn := range n.conns {
		_ = conn.Close() // that is the point
	}
	n.mu.Unlock()
	for _, port := range n.ports {
		_ = port.Close()
	}
	n.Heal()
	n.group.Wait()
}

func (n *Net) accept(to int) {
	for {
		conn, err := n.ports[to].Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			n.group.Go(func() { n.carry(conn, to) })
		}
	}
}

// keep notes a connection for Close; false when it is too late.
func (n *Net) keep(conn net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.conns[conn] = struct{}{}
	}
	return !n.closed
}

func (n *Net) drop(conn net.Conn) {
	_ = conn.Close() // it may be closed already
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, conn)
}

// carry passes on one connection in both directions until either end closes it.
func (n *Net) carry(near net.Conn, to int) {
	defer n.drop(near)
	from, known := n.who(near)
	if !known || !n.keep(near) {
		return // its process ended before it could be identified
	}
	n.pass(direction{from, to})
	n.pass(direction{to, from}) // a handshake needs both
	far, err := net.Dial("tcp", n.targets[to])
	if err != nil {
		return // the node is down: the caller sees its connection end
	}
	defer n.drop(far)
	if !n.keep(far) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { n.pump(direction{from, to}, near, far) })
	both.Go(func() { n.pump(direction{to, from}, far, near) })
	both.Wait()
}

// packet is what was read at once, and when it may arrive.
type packet struct {
	data []byte
	due  time.Time
}

// pump moves bytes from one connection to the other. The end of the one reaches the other like any byte: after those before it,
// and not through a block.
func (n *Net) pump(d direction, from, to net.Conn) {
	queue := make(chan packet, 1024)
	go func() {
		defer close(queue)
		for {
			buffer := make([]byte, 32<<10)
			count, err := from.Read(buffer)
			if count > 0 {
				queue <- packet{data: buffer[:count], due: time.Now().Add(n.latency(d))}
			}
			if err != nil {
				return
			}
		}
	}()
	intact := true
	for p := range queue {
		if !intact {
			continue
		}
		time.Sleep(time.Until(p.due))
		n.pass(d)
		_, err := to.Write(p.data)
		intact = err == nil
		if !intact {
			_ = from.Close() // nothing that it sends can arrive any more
		}
	}
	n.pass(d)
	_ = to.Close()
}

func (n *Net) latency(d direction) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.rules[d]
	if r.jitter > 0 {
		return r.delay + rand.N(r.jitter)
	}
	return r.delay
}

// pass waits until a direction is not blocked.
func (n *Net) pass(d direction) {
	for {
		n.mu.Lock()
		blocked, changed := n.rules[d].blocked && !n.closed, n.changed
		n.mu.Unlock()
		if !blocked {
			return
		}
		<-changed
	}
}
