package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// victim charges one key through every node, each request when the one before is answered and a pause has passed.
type victim struct {
	cluster *launch.Cluster
	key     launch.Key

	// calls is held for reading by each charge, so that next waits for those under way: the longest stall of an attack counts for that attack.
	calls   sync.RWMutex
	window  *window // guarded by calls
	charged atomic.Int64
	unknown atomic.Int64
	stop    context.CancelFunc
	clients sync.WaitGroup
}

// window is what the victim saw since it was opened.
type window struct {
	mu       sync.Mutex
	times    *hdrhistogram.Histogram // microseconds; guarded by mu
	failures map[string]int          // by error; guarded by mu
}

func newWindow() *window {
	return &window{times: hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3), failures: make(map[string]int)}
}

const (
	victimCredits = 100_000_000
	victimPause   = 5 * time.Millisecond // it is a customer, not a load test
	victimTimeout = 5 * time.Second
)

// startVictim makes a key and begins to charge it.
func startVictim(ctx context.Context, cluster *launch.Cluster) (*victim, error) {
	apiID, err := cluster.CreateAPI(ctx)
	if err != nil {
		return nil, err
	}
	v := &victim{cluster: cluster}
	if v.key, err = cluster.CreateKey(ctx, apiID, victimCredits); err != nil {
		return nil, err
	}
	v.window = newWindow()
	ctx, v.stop = context.WithCancel(ctx)
	for i := range cluster.Size() {
		node := cluster.NewClient(i, victimTimeout)
		v.clients.Go(func() {
			defer node.Close()
			for ctx.Err() == nil {
				v.charge(ctx, node)
				select {
				case <-ctx.Done():
				case <-time.After(victimPause):
				}
			}
		})
	}
	return v, nil
}

func (v *victim) charge(ctx context.Context, node *client.Client) {
	v.calls.RLock()
	defer v.calls.RUnlock()
	w, begin := v.window, time.Now()
	var verdict struct{ Valid bool }
	answer := node.Call(ctx, "keys.verifyKey", map[string]any{"key": v.key.Key, "credits": map[string]any{"cost": 1}}, &verdict)
	took := time.Since(begin)
	switch {
	case answer.Outcome == client.Unknown:
		v.unknown.Add(1)
	case answer.Err == nil && verdict.Valid:
		v.charged.Add(1)
	case answer.Err == nil:
		answer.Err = errors.New("a valid key was denied")
	}
	if ctx.Err() != nil {
		return // it was told to stop
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.times.RecordValue(max(1, took.Microseconds())) // never beyond victimTimeout by much
	if answer.Err != nil {
		w.failures[answer.Err.Error()]++
	}
}

// suffered is what a window has seen.
type suffered struct {
	answers            int64
	median, p99, worst time.Duration
	failures           map[string]int
}

func (s suffered) String() string {
	text := fmt.Sprintf("%6d answers  p50 %7v  p99 %7v  slowest %7v", s.answers, s.median, s.p99, s.worst)
	for err, count := range s.failures {
		text += fmt.Sprintf("\n    %d x %s", count, err)
	}
	return text
}

func (w *window) suffered() suffered {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := func(percentile float64) time.Duration {
		return (time.Duration(w.times.ValueAtPercentile(percentile)) * time.Microsecond).Round(100 * time.Microsecond)
	}
	return suffered{answers: w.times.TotalCount(), median: at(50), p99: at(99), worst: at(100), failures: w.failures}
}

// add adds what another window has seen. That one is closed.
func (w *window) add(closed *window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times.Merge(closed.times)
	for err, count := range closed.failures {
		w.failures[err] += count
	}
}

// next opens a new window and returns the last one, closed, with the charges that were under way.
func (v *victim) next() *window {
	v.calls.Lock()
	defer v.calls.Unlock()
	w := v.window
	v.window = newWindow()
	return w
}

// check ends the victim and compares its balance with what it was answered.
func (v *victim) check(ctx context.Context) error {
	v.stop()
	v.clients.Wait()
	left, err := v.cluster.Balance(ctx, launch.Anywhere, v.key.ID)
	if err != nil {
		return fmt.Errorf("the victim's balance: %w", err)
	}
	spent, known := victimCredits-left, v.charged.Load()
	if spent < known || spent > known+v.unknown.Load() {
		return fmt.Errorf("the victim was charged %d credits, and answers say %d, %d of them not for sure", spent, known+v.unknown.Load(), v.unknown.Load())
	}
	return nil
}
