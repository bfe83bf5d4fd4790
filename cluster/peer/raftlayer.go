package peer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/lobby"
)

// raftLayer is raft's view of the peer port. It keeps its connections so that
// Close can end them: raft's transport leaves its readers blocked on
// connections that the other side holds open.
type raftLayer struct {
	addr     net.Addr
	dialer   Dialer
	incoming chan net.Conn
	guests   *lobby.Lobby // incoming connections
	ctx      context.Context
	cancel   context.CancelFunc

	mu     sync.Mutex
	closed bool
	conns  map[*layerConn]struct{}
}

var _ raft.StreamLayer = (*raftLayer)(nil)

// maxRaftConns bounds raft's incoming connections. Seven nodes need fewer than fifty. For one more, the oldest of the source with the most is
// closed; raft dials again.
const maxRaftConns = 256

func newRaftLayer(addr net.Addr, d Dialer) *raftLayer {
	ctx, cancel := context.WithCancel(context.Background())
	return &raftLayer{
		addr:     addr,
		dialer:   d,
		incoming: make(chan net.Conn),
		guests:   lobby.New(maxRaftConns),
		ctx:      ctx,
		cancel:   cancel,
		conns:    make(map[*layerConn]struct{}),
	}
}

// hand gives an incoming connection to raft, or closes it when raft is gone.
func (l *raftLayer) hand(conn net.Conn) {
	c, err := l.keep(conn)
	if err != nil {
		return
	}
	if displaced := l.guests.Enter(c); displaced != nil {
		_ = displaced.Close()
	}
	select {
	case l.incoming <- c:
	case <-l.ctx.Done():
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (l *raftLayer) Accept() (net.Conn, error) {
	select {
	case c := <-l.incoming:
		return c, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// RaftAddress is what raft dials to reach a server: its id travels with the
// connection, and a node with another id refuses it. Without that, a node that
// lost its data and came back at the same address would acknowledge and vote in
// the name of the old node.
func RaftAddress(id raft.ServerID, addr raft.ServerAddress) raft.ServerAddress {
	return raft.ServerAddress(id) + "@" + addr
}

func splitRaftAddress(addr raft.ServerAddress) (id, host string, err error) {
	id, host, ok := strings.Cut(string(addr), "@")
	if !ok || id == "" || len(id) > maxIDBytes {
		return "", "", fmt.Errorf("peer: %q does not say which server it is the address of", addr)
	}
	return id, host, nil
}

// Dial implements raft.StreamLayer. The address is a RaftAddress.
func (l *raftLayer) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := l.ctx, context.CancelFunc(func() {})
	if timeout > 0 {
		ctx, cancel = context.WithTimeout(l.ctx, timeout)
	}
	defer cancel()
	id, host, err := splitRaftAddress(addr)
	if err != nil {
		return nil, err
	}
	conn, err := l.dialer.dial(ctx, host, raftPreamble(id))
	if err != nil {
		return nil, err
	}
	return l.keep(conn)
}

// Addr implements net.Listener: the address that other nodes use.
func (l *raftLayer) Addr() net.Addr { return l.addr }

// Close implements net.Listener. It ends raft's connections too.
func (l *raftLayer) Close() error {
	l.cancel()
	l.mu.Lock()
	l.closed = true
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
	return nil
}

func (l *raftLayer) keep(conn net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	c := &layerConn{Conn: conn, layer: l}
	l.conns[c] = struct{}{}
	return c, nil
}

// layerConn is a connection that its layer can close.
type layerConn struct {
	net.Conn
	layer *raftLayer
}

// Close closes the connection and forgets it.
func (c *layerConn) Close() error {
	c.layer.guests.Leave(c)
	c.layer.mu.Lock()
	delete(c.layer.conns, c)
	c.layer.mu.Unlock()
	return c.Conn.Close()
}
