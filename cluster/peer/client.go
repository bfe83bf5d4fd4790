package peer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// ClientConfig configures a [Client] and the clients of a [Pool]. A zero
// field takes its default.
type ClientConfig struct {
	Dialer Dialer
	Limits Limits
	// DialTimeout bounds one attempt to connect. Default 2 s.
	DialTimeout time.Duration
	// MinBackoff and MaxBackoff bound the pause between failed attempts.
	// Calls made during the pause fail at once, NotSent. Defaults 20 ms and
	// 500 ms: short, because a peer that returns may be the next leader.
	MinBackoff time.Duration
	MaxBackoff time.Duration
	// StallTimeout ends a connection on which calls wait and nothing was read
	// for that long, although the peer was probed half way. It notices a cut
	// link long before TCP does. Default 6 s.
	StallTimeout time.Duration
	// IdleTimeout closes a connection without calls; the next call dials
	// again. Default 5 min.
	IdleTimeout time.Duration
}

func (c ClientConfig) withDefaults() ClientConfig {
	c.Limits = c.Limits.withDefaults()
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.DialTimeout, 2 * time.Second},
		{&c.MinBackoff, 20 * time.Millisecond},
		{&c.MaxBackoff, 500 * time.Millisecond},
		{&c.StallTimeout, 6 * time.Second},
		{&c.IdleTimeout, 5 * time.Minute},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return c
}

// Validate reports the first field that cannot work.
func (c ClientConfig) Validate() error {
	if err := c.Limits.Validate(); err != nil {
		return err
	}
	c = c.withDefaults()
	switch {
	case c.DialTimeout < 0, c.MinBackoff < 0, c.StallTimeout < 0, c.IdleTimeout < 0:
		return fmt.Errorf("peer: negative duration in the client configuration")
	case c.MaxBackoff < c.MinBackoff:
		return fmt.Errorf("peer: MaxBackoff %v is below MinBackoff %v", c.MaxBackoff, c.MinBackoff)
	}
	return nil
}

// Client calls one address over one persistent connection. The connection is
// dialled by the first call, and by the first call after it was lost. All
// methods may be used concurrently.
type Client struct {
	addr string
	conf ClientConfig
	wg   sync.WaitGroup
	// spare recycles calls and their channels.
	spare sync.Pool

	// ctx ends with Close; it cancels a dial.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	link   *link // nil when there is none, also no dial under way
	nextID uint64
	calls  int   // without an answer, over all links
	bytes  int64 // payload bytes of these calls

	failures int // links in a row that ended before an answer
	retryAt  time.Time
	lastErr  error
}

// NewClient returns a client for addr. It connects with the first call.
// It panics when conf is not valid.
func NewClient(addr string, conf ClientConfig) *Client {
	if err := conf.Validate(); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Client{addr: addr, conf: conf.withDefaults(), ctx: ctx, cancel: cancel}
}

// call is one caller that waits. Its fields are set before it is queued. The
// goroutine that removes it from its link's pending map sets the answer. done
// orders the two.
type call struct {
	link    *link
	id      uint64
	bytes   int64
	code    byte
	payload []byte
	sent    bool
	err     error
	done    chan struct{} // capacity 1: delivering never blocks
}

// take gets a call from those that are used again.
func (c *Client) take() *call {
	if w, ok := c.spare.Get().(*call); ok {
		return w
	}
	return &call{done: make(chan struct{}, 1)}
}

// release gives a call back once its caller was answered or withdrew it:
// nothing else keeps a pointer.
func (c *Client) release(w *call) {
	*w = call{done: w.done}
	c.spare.Put(w)
}

// Call sends payload to the peer and waits for its answer, for ctx, or for
// the end of the connection, whichever is first. The peer is told the time
// left until ctx's deadline. Without a deadline a call waits for as long as
// the peer shows signs of life.
//
// The caller must leave payload unchanged until Call returns. If the call was
// sent and not answered, payload must never change: it may still be in flight.
// The answer belongs to the caller.
//
// The error is a *CallError (see NotSent) or a *CodeError.
func (c *Client) Call(ctx context.Context, method byte, payload []byte) ([]byte, error) {
	if method > MaxMethod {
		panic(fmt.Sprintf("peer: method %d is reserved", method))
	}
	if err := ctx.Err(); err != nil {
		return nil, c.callError(method, false, err)
	}
	if len(payload) > c.conf.Limits.MaxFrameBytes-maxHeader {
		return nil, c.callError(method, false, ErrTooLarge)
	}
	w := c.take()
	defer c.release(w)

	deadline, _ := ctx.Deadline()
	if err := c.enqueue(w, request{method: method, payload: payload, deadline: deadline}); err != nil {
		return nil, c.callError(method, false, err)
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if sent, ok := c.withdraw(w); ok {
			return nil, c.callError(method, sent, ctx.Err())
		}
		// The answer was on its way before the withdrawal.
		<-w.done
	}
	return c.result(method, w)
}

func (c *Client) result(method byte, w *call) ([]byte, error) {
	switch {
	case w.err != nil:
		return nil, c.callError(method, w.sent, w.err)
	case w.code == CodeOK:
		return w.payload, nil
	case w.code == codeOverloaded:
		return nil, c.callError(method, false, ErrOverloaded)
	case w.code == codeReplyTooLarge:
		return nil, c.callError(method, true, ErrTooLarge)
	}
	return nil, &CodeError{Addr: c.addr, Method: method, Code: w.code, Payload: w.payload}
}

func (c *Client) callError(method byte, sent bool, err error) error {
	return &CallError{Addr: c.addr, Method: method, Sent: sent, Err: err}
}

// enqueue puts the call on the current link, or on a new one. An error means
// that the call is not queued.
func (c *Client) enqueue(w *call, r request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.calls >= c.conf.Limits.MaxCalls || c.bytes+int64(len(r.payload)) > c.conf.Limits.MaxCallBytes {
		return ErrOverloaded
	}
	if c.link == nil {
		if c.failures > 0 && time.Now().Before(c.retryAt) {
			return c.lastErr
		}
		c.link = newLink(c)
		c.wg.Go(c.link.run)
	}
	c.nextID++
	r.id, w.id = c.nextID, c.nextID
	w.link, w.bytes = c.link, int64(len(r.payload))
	c.calls++
	c.bytes += w.bytes
	c.link.pushLocked(w, r)
	return nil
}

// withdraw takes back a call whose caller no longer waits. ok is false when
// its answer is already being delivered.
func (c *Client) withdraw(w *call) (sent, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.takeLocked(w.link, w) {
		return false, false
	}
	return !w.link.unqueueLocked(w.id), true
}

// takeLocked makes the holder of the mutex the one that answers w. It reports
// false when somebody else already is.
func (c *Client) takeLocked(l *link, w *call) bool {
	if l.pending[w.id] != w {
		return false
	}
	delete(l.pending, w.id)
	c.calls--
	c.bytes -= w.bytes
	return true
}

// linkEndedLocked notes that l is over. Calls from now on get a new link,
// after a pause that grows with every link that brought no answer.
func (c *Client) linkEndedLocked(l *link, err error) {
	if c.link == l {
		c.link = nil
	}
	if l.answered {
		c.failures = 0
		return
	}
	c.lastErr = err
	c.failures++
	pause := c.conf.MinBackoff << min(c.failures-1, 16)
	if pause > c.conf.MaxBackoff || pause <= 0 {
		pause = c.conf.MaxBackoff
	}
	// Jitter keeps many nodes from dialling at the same moment.
	pause = pause/2 + rand.N(pause/2+1)
	c.retryAt = time.Now().Add(pause)
}

// idle reports whether the client has neither a connection nor a call.
func (c *Client) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link == nil && c.calls == 0
}

// Close answers every waiting call, ends the connection and waits for the
// client's goroutines. Later calls fail with ErrClosed. It may be called
// twice.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	l := c.link
	c.mu.Unlock()
	c.cancel()
	if l != nil {
		l.fail(ErrClosed)
	}
	c.wg.Wait()
	return nil
}
