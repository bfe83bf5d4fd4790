package cluster

import (
	"context"
	"sync"
)

// appliedIndex is the index of the last entry in the ledger, and those who wait for it to grow.
type appliedIndex struct {
	mu      sync.Mutex
	index   uint64         // guarded by mu
	waiting []indexWaiting // guarded by mu
}

type indexWaiting struct {
	index   uint64
	reached chan struct{}
}

// get returns the present index.
func (a *appliedIndex) get() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index
}

// advance moves the index, also backwards after a restore, and wakes whom it has reached.
func (a *appliedIndex) advance(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = index
	kept := a.waiting[:0]
	for _, w := range a.waiting {
		if w.index <= index {
			close(w.reached)
		} else {
			kept = append(kept, w)
		}
	}
	clear(a.waiting[len(kept):])
	a.waiting = kept
}

// wait returns once the index is reached, or with ctx's error. Waiters that give up are dropped when the index passes them.
func (a *appliedIndex) wait(ctx context.Context, index uint64) error {
	a.mu.Lock()
	if a.index >= index {
		a.mu.Unlock()
		return nil
	}
	reached := make(chan struct{})
	a.waiting = append(a.waiting, indexWaiting{index, reached})
	a.mu.Unlock()
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
