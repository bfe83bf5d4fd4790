package peer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/cluster/lobby"
)

// serverConn is one connection of a Server: the calling goroutine reads, a
// second one writes.
type serverConn struct {
	server *Server
	conn   net.Conn
	from   string
	wake   chan struct{} // capacity 1: the queue became non-empty, or done

	mu       sync.Mutex
	queue    []response
	idle     bool // the writer waits for wake
	calls    int  // handed to the handler and not replied to
	ended    bool // the reader has ended: the writer stops at once
	draining bool // the server is closing: the writer stops when all is out
	gone     bool // the writer has ended: answers are dropped

	node   string      // announced; written by the reader alone
	frames uint64      // calls and probes that were read, and calls that were answered
	looked uint64      // frames when look was last called
	watch  *time.Timer // calls look
}

// response is a queued frame. cost is what its request and itself hold of the
// server's byte budget.
type response struct {
	frameHeader
	payload []byte
	cost    int64
}

// flushTimeout bounds the last write of a server that is closing.
const flushTimeout = 500 * time.Millisecond

var errNotReading = errors.New("peer: the client sends calls and does not read the answers")

func newServerConn(s *Server, conn net.Conn) *serverConn {
	return &serverConn{server: s, conn: conn, from: conn.RemoteAddr().String(), wake: make(chan struct{}, 1)}
}

func (s *serverConn) run() {
	s.mu.Lock()
	s.watch = time.AfterFunc(s.server.bounds.FirstCallTimeout, s.look)
	s.mu.Unlock()
	defer s.watch.Stop()
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write()
		_ = s.conn.Close() // ends the reader
	}()
	err := s.read()
	draining := s.endReading()
	<-written
	if !draining && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		s.server.log.Info("peer connection ended", "from", s.from, "error", err)
	}
}

// shutdown lets the writer flush what is queued and then end the connection.
func (s *serverConn) shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.draining = true
	s.wakeLocked()
	// A peer that does not read must not delay the end.
	time.AfterFunc(flushTimeout, func() { _ = s.conn.Close() })
}

// endReading notes the end of the reader. Without a reader there is nobody to
// answer, unless the server itself is closing.
func (s *serverConn) endReading() (draining bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.wakeLocked()
	if !s.draining {
		_ = s.conn.Close() // ends a write in progress
	}
	return s.draining
}

func (s *serverConn) read() error {
	r := newFrameReader(s.conn, decodeRequest, s.server.limits)
	for {
		h, n, err := r.next()
		if err != nil {
			return err
		}
		if h.kind == methodAnnounce {
			if err := s.readAnnouncement(r, n); err != nil {
				return err
			}
			continue
		}
		if h.kind > MaxMethod {
			if err := s.answerReserved(r, h, n); err != nil {
				return err
			}
			continue
		}
		cost := n
		if ok, err := s.admit(n); err != nil {
			return err
		} else if !ok {
			if err := r.skip(n); err != nil {
				return err
			}
			s.push(response{frameHeader: frameHeader{id: h.id, kind: codeOverloaded}})
			continue
		}
		payload, err := r.payload(n)
		if err != nil {
			s.release(int64(cost))
			return err
		}
		req := Request{Method: h.kind, Payload: payload, From: s.from, Node: s.node}
		if h.timeoutMillis > 0 {
			req.Deadline = time.Now().Add(time.Duration(h.timeoutMillis) * time.Millisecond)
		}
		s.server.handler(req, s.replyTo(h.id, int64(cost)))
	}
}

// readAnnouncement notes which node the calls come from. Nobody displaces the connection of a member.
func (s *serverConn) readAnnouncement(r *frameReader, n int) error {
	if n == 0 || n > maxIDBytes || s.node != "" {
		return fmt.Errorf("%w: an announcement of %d bytes", errMalformed, n)
	}
	id, err := r.payload(n)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.node = string(id)
	s.mu.Unlock()
	s.recognize(string(id))
	return nil
}

func (s *serverConn) recognize(node string) {
	if node != "" && s.server.bounds.Member(node) {
		s.server.strangers.Leave(s.conn)
	}
}

// look ends the connection if it had no call since the last look, and owes no answer.
func (s *serverConn) look() {
	s.mu.Lock()
	idle := s.frames == s.looked && s.calls == 0 && len(s.queue) == 0
	s.looked = s.frames
	node := s.node
	if !idle && !s.ended {
		s.watch.Reset(s.server.bounds.IdleTimeout)
	}
	s.mu.Unlock()
	if idle {
		lobby.Abort(s.conn)
		return
	}
	s.recognize(node) // it may have become a member since it said who it is
}

// answerReserved answers a probe, and refuses a reserved method of a newer build without ending the connection.
func (s *serverConn) answerReserved(r *frameReader, h frameHeader, n int) error {
	code := CodeOK
	if h.kind != methodProbe {
		code = codeUnsupported
	}
	if s.overrun() {
		return errNotReading
	}
	if err := r.skip(n); err != nil {
		return err
	}
	s.push(response{frameHeader: frameHeader{id: h.id, kind: code}})
	return nil
}

// overrun reports whether so many answers are queued that the client cannot be reading them.
func (s *serverConn) overrun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames++
	return len(s.queue) > s.server.limits.MaxCalls
}

// admit counts a call in. It refuses one that exceeds a bound, and fails when
// even the refusals pile up.
func (s *serverConn) admit(payloadBytes int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames++
	if len(s.queue) > s.server.limits.MaxCalls {
		return false, errNotReading
	}
	if s.calls >= s.server.limits.MaxCalls || !s.server.reserve(payloadBytes) {
		return false, nil
	}
	s.calls++
	return true, nil
}

func (s *serverConn) release(cost int64) {
	s.server.bytes.Add(-cost)
}

func (s *serverConn) replyTo(id uint64, cost int64) Reply {
	var replied atomic.Bool
	return func(code byte, payload []byte) {
		if code > MaxCode {
			panic("peer: reply with a reserved code")
		}
		if !replied.CompareAndSwap(false, true) {
			return
		}
		if len(payload) > s.server.limits.MaxFrameBytes-maxHeader {
			code, payload = codeReplyTooLarge, nil
		}
		// The answer is charged even beyond the budget: refusing it would
		// turn work that was done into an unknown outcome.
		s.server.bytes.Add(int64(len(payload)))
		s.answer(response{frameHeader: frameHeader{id: id, kind: code}, payload: payload, cost: cost + int64(len(payload))})
	}
}

// answer queues the response to a call that was admitted.
func (s *serverConn) answer(r response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
	s.frames++ // an answer that is being written must not count as idleness
	s.pushLocked(r)
}

func (s *serverConn) push(r response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushLocked(r)
}

func (s *serverConn) pushLocked(r response) {
	if s.gone {
		s.release(r.cost)
		return
	}
	s.queue = append(s.queue, r)
	s.wakeLocked()
}

func (s *serverConn) wakeLocked() {
	if s.idle {
		s.idle = false
		s.wake <- struct{}{}
	}
}

// write sends what is queued, everything that queued up during one write in
// the next one, until the connection is over.
func (s *serverConn) write() {
	box := newOutbox(s.conn, s.server.limits)
	var batch []response
	for {
		var more bool
		if batch, more = s.take(batch[:0]); !more {
			break
		}
		if len(batch) == 0 {
			<-s.wake
			// Let repliers that are about to run queue their answers too.
			runtime.Gosched()
			continue
		}
		var cost int64
		for _, r := range batch {
			box.addResponse(r.frameHeader, r.payload)
			cost += r.cost
		}
		_, err := box.flush()
		s.release(cost)
		clear(batch)
		if err != nil {
			break
		}
	}
	s.drop()
}

// take moves about one batch of the queue to the writer. An empty batch means
// to wait for wake; more is false when the writer is to end.
func (s *serverConn) take(batch []response) (_ []response, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && !s.draining {
		return batch, false
	}
	if len(s.queue) == 0 {
		s.idle = true
		return batch, !s.draining
	}
	size, n := 0, 0
	for n < len(s.queue) && size < batchBytes {
		size += len(s.queue[n].payload) + maxHeader
		n++
	}
	batch = append(batch, s.queue[:n]...)
	rest := copy(s.queue, s.queue[n:])
	clear(s.queue[rest:])
	s.queue = s.queue[:rest]
	return batch, true
}

// drop forgets what can no longer be written.
func (s *serverConn) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	for _, r := range s.queue {
		s.release(r.cost)
	}
	s.queue = nil
}
