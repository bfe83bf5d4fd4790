package peer

import (
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
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
	log     *slog.Logger
	wg      sync.WaitGroup

	// bytes of payloads held for all connections: requests not replied to
	// and responses not written.
	bytes atomic.Int64

	mu     sync.Mutex
	closed bool
	conns  map[*serverConn]struct{}
}

// NewServer returns a server. It panics when limits are not valid.
func NewServer(h Handler, limits Limits, log *slog.Logger) *Server {
	if err := limits.Validate(); err != nil {
		panic(err)
	}
	if limits.MaxCalls == 0 {
		limits.MaxCalls = serverCallsPerClients * defaultMaxCalls
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{handler: h, limits: limits.withDefaults(), log: log, conns: make(map[*serverConn]struct{})}
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

	ss.run()

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
