package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"
)

// link is one connection of a Client, from the start of its dial until both
// its goroutines have ended. Its state is guarded by Client.mu.
//
// A call's state follows from its id. Ids on a link grow by one in the order
// of the queue, and the writer takes a prefix of it:
//
//	id <  writing          handed to the kernel: sent
//	id in [writing, taken) in the batch being written: the writer knows
//	id >= taken            queued: may be withdrawn without a trace
type link struct {
	client *Client
	done   chan struct{} // closed by the first fail
	wake   chan struct{} // capacity 1: the queue became non-empty

	conn    net.Conn // nil while dialling
	queue   []request
	idle    bool // the writer waits for wake
	pending map[uint64]*call
	writing uint64
	taken   uint64

	failed   bool
	err      error
	answered bool      // some answer was read
	lastRead time.Time // last sign of life
	lastCall time.Time // last time the writer had work
	probe    bool      // the writer should send a probe
	probedAt time.Time // when a probe was taken that nothing was read after
}

// request is a queued frame. Its caller may be gone: then withdrawn is set.
type request struct {
	id        uint64
	method    byte
	withdrawn bool
	payload   []byte
	deadline  time.Time
}

// maxAnswers is how many responses are matched under one lock.
const maxAnswers = 256

func newLink(c *Client) *link {
	return &link{
		client:  c,
		done:    make(chan struct{}),
		wake:    make(chan struct{}, 1),
		pending: make(map[uint64]*call),
		writing: c.nextID + 1,
		taken:   c.nextID + 1,
	}
}

func (l *link) pushLocked(w *call, r request) {
	l.pending[r.id] = w
	l.queue = append(l.queue, r)
	l.wakeLocked()
}

func (l *link) wakeLocked() {
	if l.idle {
		l.idle = false
		l.wake <- struct{}{}
	}
}

// unqueueLocked removes a request that the writer has not taken. It reports
// false when the writer has.
func (l *link) unqueueLocked(id uint64) bool {
	if id < l.taken {
		return false
	}
	r := &l.queue[id-l.taken]
	r.withdrawn = true
	r.payload = nil
	return true
}

// run dials, then writes until the link fails.
func (l *link) run() {
	c := l.client
	ctx, cancel := context.WithTimeout(c.ctx, c.conf.DialTimeout)
	conn, err := c.conf.Dialer.DialCalls(ctx, c.addr)
	cancel()
	if err != nil {
		if c.ctx.Err() != nil {
			err = ErrClosed
		}
		l.fail(err)
		return
	}
	if !l.connected(conn) {
		_ = conn.Close()
		return
	}
	c.wg.Go(func() { l.read(conn) })
	l.write(conn)
}

func (l *link) connected(conn net.Conn) bool {
	l.client.mu.Lock()
	defer l.client.mu.Unlock()
	if l.failed {
		return false
	}
	l.conn = conn
	l.lastRead = time.Now()
	l.lastCall = l.lastRead
	return true
}

// fail ends the link once and answers its calls, except those in the batch
// being written, which the writer answers when its write returns.
func (l *link) fail(err error) {
	c := l.client
	c.mu.Lock()
	if l.failed {
		c.mu.Unlock()
		return
	}
	l.failed, l.err = true, err
	c.linkEndedLocked(l, err)
	answers := l.failLocked(func(id uint64) (ending, bool) {
		return ending{sent: id < l.taken, err: err}, id < l.writing || id >= l.taken
	})
	l.queue = nil
	conn := l.conn
	close(l.done)
	c.mu.Unlock()

	if conn != nil {
		_ = conn.Close()
	}
	deliver(answers)
}

// ending is the end of a call without an answer.
type ending struct {
	sent bool
	err  error
}

// failLocked takes every pending call that classify selects.
func (l *link) failLocked(classify func(id uint64) (ending, bool)) []*call {
	var taken []*call
	for id, w := range l.pending {
		f, yes := classify(id)
		if !yes {
			continue
		}
		l.client.takeLocked(l, w)
		w.sent, w.err = f.sent, f.err
		taken = append(taken, w)
	}
	return taken
}

func deliver(answers []*call) {
	for _, w := range answers {
		w.done <- struct{}{}
	}
}

// write sends what is queued, everything that queued up during one write in
// the next one, until the link fails.
func (l *link) write(conn net.Conn) {
	box := newOutbox(conn, l.client.conf.Limits)
	tick := time.NewTicker(max(time.Millisecond, min(l.client.conf.StallTimeout/4, l.client.conf.IdleTimeout/4)))
	defer tick.Stop()
	var batch []request
	var starts []int64
	if id := l.client.conf.Dialer.NodeID; id != "" { // it leaves with the first batch
		box.addRequest(frameHeader{kind: methodAnnounce}, []byte(id))
	}
	for {
		if !l.await(tick.C) {
			return
		}
		batch = l.take(batch[:0])
		starts = starts[:0]
		now := time.Now()
		for _, r := range batch {
			starts = append(starts, box.size)
			box.addRequest(frameHeader{id: r.id, kind: r.method, timeoutMillis: millisLeft(r.deadline, now)}, r.payload)
		}
		written, err := box.flush()
		l.wrote(batch, starts, written, err)
		clear(batch)
		if err != nil {
			return
		}
	}
}

// await returns true when there is something to write, false when the link
// has failed. While it waits it watches the peer.
func (l *link) await(tick <-chan time.Time) bool {
	for {
		if ready, failed := l.poll(); failed {
			return false
		} else if ready {
			return true
		}
		select {
		case <-l.wake:
			// Let callers that are about to run queue their requests too:
			// that is what makes one write of many. With nobody runnable
			// this returns at once.
			runtime.Gosched()
		case <-tick:
			if err := l.watch(); err != nil {
				l.fail(err)
			}
		case <-l.done:
		}
	}
}

func (l *link) poll() (ready, failed bool) {
	l.client.mu.Lock()
	defer l.client.mu.Unlock()
	ready = len(l.queue) > 0 || l.probe
	l.idle = !ready
	if l.idle {
		select {
		case <-l.wake: // sent before a tick came first
		default:
		}
	}
	return ready, l.failed
}

// take moves a prefix of the queue, about one batch, to the writer. Requests
// whose deadline has passed are answered here, unsent.
func (l *link) take(batch []request) []request {
	c := l.client
	now := time.Now()
	var late []*call
	c.mu.Lock()
	if l.probe {
		// Dated before the write: its answer may be read before the write
		// returns.
		l.probe, l.probedAt = false, now
		batch = append(batch, request{method: methodProbe})
	}
	size, n := 0, 0
	for n < len(l.queue) && size < batchBytes {
		r := &l.queue[n]
		n++
		l.taken = r.id + 1
		if r.withdrawn {
			continue
		}
		if !r.deadline.IsZero() && !now.Before(r.deadline) {
			if w := l.pending[r.id]; w != nil && c.takeLocked(l, w) {
				w.err = context.DeadlineExceeded
				late = append(late, w)
			}
			continue
		}
		batch = append(batch, *r)
		size += len(r.payload) + maxHeader
	}
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	l.lastCall = now
	c.mu.Unlock()
	deliver(late)
	return batch
}

// wrote notes the end of a write. After a failed one it answers the calls of
// the batch: those whose frame starts beyond the written bytes never left.
func (l *link) wrote(batch []request, starts []int64, written int64, err error) {
	c := l.client
	c.mu.Lock()
	if err == nil && !l.failed {
		l.writing = l.taken
		c.mu.Unlock()
		return
	}
	if l.failed {
		// The reader or Close was first and knows why; the write error, if
		// any, only says that the connection was closed.
		err = l.err
	} else {
		err = fmt.Errorf("%w: %w", ErrConnectionLost, err)
	}
	var answers []*call
	for i, r := range batch {
		if w := l.pending[r.id]; w != nil && c.takeLocked(l, w) {
			w.sent, w.err = starts[i] < written, err
			answers = append(answers, w)
		}
	}
	c.mu.Unlock()
	deliver(answers)
	l.fail(err)
}

// watch probes a peer that owes answers and is silent, and ends a link that
// stays silent or has nothing to do.
func (l *link) watch() error {
	c := l.client
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.failed {
		return nil
	}
	if len(l.pending) == 0 {
		if now.Sub(l.lastCall) >= c.conf.IdleTimeout {
			// Nobody waits and nobody can start to: take the link away under
			// the lock. Its end is no failure of the peer.
			l.answered = true
			c.link = nil
			return errIdle
		}
		l.lastRead = now
		return nil
	}
	timeout := c.conf.StallTimeout / 2
	switch {
	case !l.probedAt.IsZero():
		if now.Sub(l.probedAt) >= timeout {
			return ErrStalled
		}
	case now.Sub(l.lastRead) >= timeout:
		l.probe = true
	}
	return nil
}

var errIdle = errors.New("peer: idle connection closed")

// millisLeft returns the timeout to put on the wire: at least 1, since 0
// means none.
func millisLeft(deadline, now time.Time) uint64 {
	if deadline.IsZero() {
		return 0
	}
	left := (deadline.Sub(now) + time.Millisecond - 1) / time.Millisecond
	return uint64(min(max(left, 1), maxTimeoutMillis))
}

// aliveLocked notes a sign of life from the peer.
func (l *link) aliveLocked(now time.Time) {
	l.lastRead = now
	l.probedAt = time.Time{}
}

// answer is a response that was read and not yet matched with its call.
type answer struct {
	id      uint64
	code    byte
	payload []byte
}

// read matches responses with calls until the link fails.
func (l *link) read(conn net.Conn) {
	r := newFrameReader(conn, decodeResponse, l.client.conf.Limits)
	r.progress = func() {
		l.client.mu.Lock()
		defer l.client.mu.Unlock()
		l.aliveLocked(time.Now())
	}
	answers := make([]answer, 0, maxAnswers)
	calls := make([]*call, 0, maxAnswers)
	for {
		answers = answers[:0]
		for len(answers) == 0 || (len(answers) < maxAnswers && r.ready()) {
			a, err := readAnswer(r)
			if err != nil {
				deliver(l.match(answers, calls[:0]))
				l.fail(fmt.Errorf("%w: %w", ErrConnectionLost, err))
				return
			}
			answers = append(answers, a)
		}
		deliver(l.match(answers, calls[:0]))
		clear(answers)
	}
}

func readAnswer(r *frameReader) (answer, error) {
	h, n, err := r.next()
	if err != nil {
		return answer{}, err
	}
	payload, err := r.payload(n)
	return answer{id: h.id, code: h.kind, payload: payload}, err
}

// match takes the calls that the answers belong to. An answer whose caller
// withdrew has none and is dropped, as is the answer to a probe.
func (l *link) match(answers []answer, calls []*call) []*call {
	if len(answers) == 0 {
		return calls
	}
	now := time.Now()
	c := l.client
	c.mu.Lock()
	defer c.mu.Unlock()
	l.aliveLocked(now)
	if !l.answered {
		l.answered = true
		c.failures = 0
	}
	for _, a := range answers {
		w := l.pending[a.id]
		if w == nil || a.id >= l.taken || !c.takeLocked(l, w) {
			continue
		}
		w.code, w.payload = a.code, a.payload
		calls = append(calls, w)
	}
	return calls
}
