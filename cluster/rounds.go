package cluster

import (
	"context"
	"sync"
)

// rounds shares one question among all who want it answered: whoever arrives while a question is on its way waits for the next
// one, so that every answer belongs to a question that was asked after the waiter arrived.
type rounds struct {
	ask func() (uint64, error)

	mu      sync.Mutex
	running bool   // guarded by mu
	next    *round // guarded by mu: the round that has not been asked yet
}

type round struct {
	done  chan struct{}
	index uint64 // valid once done is closed
	err   error  // likewise
}

// join waits for the answer of a question that is asked from now on.
func (r *rounds) join(ctx context.Context) (uint64, error) {
	r.mu.Lock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
	}
	mine := r.next
	if !r.running {
		r.running = true
		go r.run()
	}
	r.mu.Unlock()
	select {
	case <-mine.done:
		return mine.index, mine.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// run asks until nobody waits.
func (r *rounds) run() {
	for {
		r.mu.Lock()
		current := r.next
		r.next = nil
		if current == nil {
			r.running = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		current.index, current.err = r.ask()
		close(current.done)
	}
}
