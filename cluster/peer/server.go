package peer

import (
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/cluster/lobby"
	"github.com/creditd/creditd/cluster/tally"
)

// Request is one call as the handler sees it. The payload belongs to the
// handler.
type Request struct {
	Method  byte
	Payload []byte
	// Deadline is when the caller stops waiting; zero when it never does.
	// Work that has not begun by then is best dropped.
	Deadline time.Time
	// From is the address of the caller's end of the connection, for logs.
	From string
	// Node is the id that the connection has announced, "" if it has not: builds before ledger version 3 do not. What it is worth depends on
	// who can connect: see MuxConfig.TLS.
	Node string
}

// Reply answers one request: with CodeOK or a code of the application's up to
// MaxCode. It may be called from any goroutine, never blocks, and takes
// ownership of payload. Only the first call counts. When the caller or the
// connection is gone the answer is dropped.
type Reply func(code byte, payload []byte)

// Handler acts on requests. It runs on the goroutine that reads the
// connection: it must not block, and leaves anything slow to another one.
// Every request must be replied to in the end, also one that came too late.
// A panic ends the process: it is a bug, and going on could lose money.
type Handler func(r Request, reply Reply)

// Server answers the calls that arrive on the connections it is given.
type Server struct {
	handler Handler
	limits  Limits
	bounds  ConnLimits
	refused *tally.Tally // connections that were displaced
	log     *slog.Logger
	wg      sync.WaitGroup

	strangers *lobby.Lobby // the connections that have not announced a member

	// bytes of payloads held for all connections: requests not replied to
	// and responses not written.
	bytes atomic.Int64

	mu     sync.Mutex
	closed bool
	conns  map[*serverConn]struct{}
}

// NewServer returns a server. It panics when limits are not valid.
func NewServer(h Handler, limits Limits, log *slog.Logger) *Server {
	return newServer(h, limits, ConnLimits{}, new(tally.Tally), log)
}

// newServer returns a server whose refused counts the connections that were displaced.
func newServer(h Handler, limits Limits, bounds ConnLimits, refused *tally.Tally, log *slog.Logger) *Server {
	if err := limits.Validate(); err != nil {
		panic(err)
	}
	if limits.MaxCalls == 0 {
		limits.MaxCalls = serverCallsPerClients * defaultMaxCalls
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	bounds = bounds.withDefaults()
	return &Server{
		handler: h, limits: limits.withDefaults(), bounds: bounds, refused: refused, log: log,
		strangers: lobby.New(bounds.MaxStrangers), conns: make(map[*serverConn]struct{}),
	}
}

// ServeConn answers calls on conn until the connection ends or the server is
// closed. It owns conn.
func (s *Server) ServeConn(conn net.Conn) {
	ss := newServerConn(s, conn)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = conn.Close()
		return
	}
	s.conns[ss] = struct{}{}
	s.wg.Add(1)
	s.mu.Unlock()
	if displaced := s.strangers.Enter(conn); displaced != nil {
		lobby.Abort(displaced)
		if since := s.refused.Note(time.Now()); since > 0 {
			s.log.Warn("peer connection closed: too many announce no member of the cluster", "from", displaced.RemoteAddr(), "refused", since)
		}
	}

	ss.run()

	s.strangers.Leave(conn)
	s.mu.Lock()
	delete(s.conns, ss)
	s.mu.Unlock()
	s.wg.Done()
}

// Close ends all connections, after a short attempt to write the answers that
// are ready, and waits for their goroutines. It does not wait for handlers
// that have yet to reply. It may be called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for ss := range s.conns {
		ss.shutdown()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// reserve claims n bytes of the server's budget.
func (s *Server) reserve(n int) bool {
	if s.bytes.Add(int64(n)) > s.limits.MaxCallBytes {
		s.bytes.Add(-int64(n))
		return false
	}
	return true
}
