package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/handshakes"
	"github.com/creditd/creditd/cluster/lobby"
	"github.com/creditd/creditd/cluster/tally"
)

// maxFailedHandshakes is how many TLS handshakes of one host may fail in a second. A member's never fails.
const maxFailedHandshakes = 50

var errHandshakes = errors.New("peer: too many TLS handshakes of this host failed")

// MuxConfig configures a [Mux].
type MuxConfig struct {
	// Listener is the peer port. The Mux owns it. nil: nothing comes in, and Advertise must be set.
	Listener net.Listener
	// NodeID is this node's. A raft connection that is meant for another node
	// is refused.
	NodeID string
	// Advertise is the address that raft gives to other nodes. Default the
	// listener's. It may hold a host name.
	Advertise string
	// Dialer makes raft's outgoing connections.
	Dialer Dialer
	// TLS, if set, is required of every incoming connection. Ask for client
	// certificates in it: raft itself authenticates nobody, and whoever
	// reaches it may install a snapshot.
	TLS *tls.Config
	// Limits are those of the Server for calls.
	Limits Limits
	// PreambleTimeout bounds the TLS handshake and the preamble of an
	// incoming connection. Default 5 s.
	PreambleTimeout time.Duration
	// MaxPreambles bounds the connections that have not said what they are. For
	// one more, the oldest of the source with the most is closed. Default 256.
	MaxPreambles int
	// Calls bounds the connections for calls.
	Calls ConnLimits
	// Logger, if nil, discards.
	Logger *slog.Logger
}

// Mux shares the peer port between raft and our calls.
//
// Order of use: NewMux, RaftLayer into NewTransport, Serve, Start, Close.
// Nothing is accepted before Start.
type Mux struct {
	conf  MuxConfig
	log   *slog.Logger
	raft  *raftLayer
	done  chan struct{}
	lobby *lobby.Lobby // connections in their preamble
	wg    sync.WaitGroup

	refused    tally.Tally // connections
	handshakes handshakes.Failures

	mu      sync.Mutex
	started bool
	closed  bool
	server  *Server
}

// NewMux returns a mux that does nothing yet.
func NewMux(conf MuxConfig) (*Mux, error) {
	if conf.Listener == nil && conf.Advertise == "" {
		return nil, errors.New("peer: the mux needs a listener or an address to advertise")
	}
	if err := conf.Limits.Validate(); err != nil {
		return nil, err
	}
	if conf.PreambleTimeout == 0 {
		conf.PreambleTimeout = 5 * time.Second
	}
	if conf.MaxPreambles == 0 {
		conf.MaxPreambles = 256
	}
	if conf.PreambleTimeout < 0 || conf.MaxPreambles < 0 {
		return nil, errors.New("peer: PreambleTimeout and MaxPreambles must be positive")
	}
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.DiscardHandler)
	}
	var addr net.Addr = advertised(conf.Advertise)
	if conf.Advertise == "" {
		addr = conf.Listener.Addr()
	}
	return &Mux{
		conf:       conf,
		log:        conf.Logger,
		handshakes: handshakes.Failures{Most: maxFailedHandshakes},
		raft:       newRaftLayer(addr, conf.Dialer),
		done:       make(chan struct{}),
		lobby:      lobby.New(conf.MaxPreambles),
	}, nil
}

// advertised is an address that is not resolved here.
type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// RaftLayer returns raft's share of the port. Closing it ends raft's
// connections and leaves the calls alone.
func (m *Mux) RaftLayer() raft.StreamLayer { return m.raft }

// Serve gives calls to h, once. Calls that arrive on a mux without a handler
// lose their connection.
func (m *Mux) Serve(h Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server != nil {
		panic("peer: Serve called twice")
	}
	m.server = newServer(h, m.conf.Limits, m.conf.Calls, &m.refused, m.log)
	if m.closed {
		_ = m.server.Close()
	}
}

// Start accepts connections.
func (m *Mux) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started || m.closed || m.conf.Listener == nil {
		return
	}
	m.started = true
	m.wg.Go(m.accept)
}

// Close ends the listener and all connections, raft's too, and waits for the
// mux's goroutines. It may be called twice.
func (m *Mux) Close() error {
	m.mu.Lock()
	first := !m.closed
	m.closed = true
	server := m.server
	if first {
		close(m.done)
		if m.conf.Listener != nil {
			_ = m.conf.Listener.Close()
		}
	}
	m.mu.Unlock()
	m.lobby.CloseAll()
	_ = m.raft.Close()
	if server != nil {
		_ = server.Close()
	}
	m.wg.Wait()
	return nil
}

func (m *Mux) accept() {
	const maxPause = time.Second
	pause := 5 * time.Millisecond
	for {
		conn, err := m.conf.Listener.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			m.admit(conn)
			continue
		}
		select {
		case <-m.done:
			return
		default:
		}
		// Out of file descriptors, most likely: wait for some to come back.
		m.log.Error("accept on the peer port failed", "error", err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, maxPause)
		case <-m.done:
			return
		}
	}
}

// admit starts the preamble of a connection.
func (m *Mux) admit(conn net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		_ = conn.Close()
		return
	}
	if displaced := m.lobby.Enter(conn); displaced != nil {
		_ = displaced.Close()
		m.refuse(displaced, errDisplaced)
	}
	m.wg.Go(func() { m.route(conn) })
}

var errDisplaced = errors.New("peer: too many connections have not said what they are")

// refuse counts a connection that comes to nothing, and logs some.
func (m *Mux) refuse(conn net.Conn, err error) {
	if since := m.refused.Note(time.Now()); since > 0 {
		m.log.Warn("peer connection refused", "from", conn.RemoteAddr(), "error", err, "refused", since)
	}
}

// Refused returns how many connections came to nothing.
func (m *Mux) Refused() uint64 { return m.refused.Total() }

// route learns what a connection is for and hands it over.
func (m *Mux) route(raw net.Conn) {
	conn, proto, err := m.identify(raw)
	stayed := m.lobby.Leave(raw)
	m.mu.Lock()
	server, closed := m.server, m.closed
	m.mu.Unlock()
	if err != nil || !stayed {
		if !closed && stayed {
			m.refuse(raw, err)
		}
		_ = raw.Close()
		return
	}
	switch {
	case proto == protocolRaft:
		m.raft.hand(conn)
	case server == nil:
		_ = conn.Close()
	default:
		server.ServeConn(conn)
	}
}

func (m *Mux) identify(raw net.Conn) (net.Conn, protocol, error) {
	tune(raw)
	deadline := time.Now().Add(m.conf.PreambleTimeout)
	_ = raw.SetDeadline(deadline)
	conn := raw
	if m.conf.TLS != nil {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		secured := tls.Server(raw, m.conf.TLS)
		from := raw.RemoteAddr().String()
		if !m.handshakes.Allows(from, time.Now()) {
			return nil, 0, errHandshakes
		}
		if err := secured.HandshakeContext(ctx); err != nil {
			m.handshakes.Note(from, time.Now())
			return nil, 0, fmt.Errorf("peer: TLS handshake: %w", err)
		}
		conn = secured
	}
	proto, err := readPreamble(conn)
	if err != nil {
		return nil, 0, err
	}
	if proto == protocolRaft {
		id, err := readRaftID(conn)
		if err != nil {
			return nil, 0, err
		}
		if id != m.conf.NodeID {
			return nil, 0, fmt.Errorf("peer: the connection is meant for node %q, which this one is not", id)
		}
	}
	_ = raw.SetDeadline(time.Time{})
	return conn, proto, nil
}
