package api

import (
	"context"
	"sync"
	"time"
)

// patience is the context of a request: it ends with the request, at the deadline, or when the client hangs up. context.WithTimeout does the
// same, but it waits for the context of net/http, and both together were a sixth of the garbage of a charge.
type patience struct {
	context.Context // that of net/http
	deadline        time.Time

	mu   sync.Mutex
	done chan struct{} // guarded by mu; nil: nobody has asked for it
	err  error         // guarded by mu; nil: it goes on
}

// Deadline implements context.Context.
func (p *patience) Deadline() (time.Time, bool) { return p.deadline, true }

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = make(chan struct{})
		if p.err != nil {
			close(p.done)
		}
	}
	return p.done
}

// Err implements context.Context.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *patience) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		if p.done != nil {
			close(p.done)
		}
	}
}

// glance is how often a request that waits looks whether net/http knows that the client is gone. The end of a TLS session is a record, behind
// which net/http reads no more of the connection: no read fails. Most requests are over before.
const glance = 250 * time.Millisecond

// vigil ends the patience of the requests of one connection. With HTTP/1.1, one has ended before the next begins.
type vigil struct {
	mu      sync.Mutex
	current *patience   // guarded by mu; nil: there is no request
	gone    bool        // guarded by mu: the client hung up
	timer   *time.Timer // guarded by mu; nil before the first request
}

type vigilKey struct{}

// ConnContext makes the context of a connection for http.Server.ConnContext. hangUp is to be called when reading from the connection fails,
// unless that was for its deadline: the client is gone, and its request ends at once. Without such a context, a request costs more.
func ConnContext(ctx context.Context) (_ context.Context, hangUp func()) {
	v := new(vigil)
	return context.WithValue(ctx, vigilKey{}, v), v.hangUp
}

// begin begins the patience of a request.
func (v *vigil) begin(ctx context.Context, deadline time.Time) *patience {
	p := &patience{Context: ctx, deadline: deadline}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.gone {
		p.end(context.Canceled)
	}
	v.current = p
	if next := p.nextGlance(); v.timer == nil {
		v.timer = time.AfterFunc(next, v.look)
	} else {
		v.timer.Reset(next)
	}
	return p
}

func (p *patience) nextGlance() time.Duration { return min(time.Until(p.deadline), glance) }

// end ends the present request.
func (v *vigil) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.timer.Stop()
	v.current.end(context.Canceled)
	v.current = nil
}

func (v *vigil) hangUp() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gone = true
	if v.current != nil {
		v.current.end(context.Canceled)
	}
}

// look is called by the timer, perhaps that of an earlier request.
func (v *vigil) look() {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.current
	switch {
	case p == nil || p.Err() != nil:
	case p.Context.Err() != nil:
		p.end(context.Canceled)
	case !time.Now().Before(p.deadline):
		p.end(context.DeadlineExceeded)
	default:
		v.timer.Reset(p.nextGlance())
	}
}
