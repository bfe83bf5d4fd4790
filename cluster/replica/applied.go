package replica

import (
	"context"
	"sync"
)

// appliedIndex is the index of the last entry in the ledger, and those who wait for it to grow.
type appliedIndex struct {
	mu      sync.Mutex
	index   uint64                   // guarded by mu
	waiting map[chan struct{}]uint64 // guarded by mu: the index that each waits for
}

// get returns the present index.
func (a *appliedIndex) get() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index
}

// advance moves the index, also backwards after a restore, and wakes the waiters that it has reached.
func (a *appliedIndex) advance(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = index
	for reached, wanted := range a.waiting {
		if wanted <= index {
			close(reached)
			delete(a.waiting, reached)
		}
	}
}

// wait returns once the index is reached, or with ctx's error.
func (a *appliedIndex) wait(ctx context.Context, index uint64) error {
	a.mu.Lock()
	if a.index >= index {
		a.mu.Unlock()
		return nil
	}
	reached := make(chan struct{})
	if a.waiting == nil {
		a.waiting = make(map[chan struct{}]uint64)
	}
	a.waiting[reached] = index
	a.mu.Unlock()
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.waiting, reached) // clients may wait for what never comes
		return ctx.Err()
	}
}
