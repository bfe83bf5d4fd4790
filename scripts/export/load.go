package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/creditd/creditd/scripts/launch"
)

// load is clients that charge random keys at a steady rate.
type load struct {
	stop    context.CancelFunc
	clients sync.WaitGroup

	mu       sync.Mutex
	into     *hdrhistogram.Histogram // microseconds; guarded by mu
	failures map[string]int          // by error; guarded by mu
}

const chargeTimeout = 5 * time.Second

func newTimes() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
}

func startLoad(ctx context.Context, s settings, cluster *launch.Cluster) *load {
	l := &load{into: newTimes(), failures: make(map[string]int)}
	ctx, l.stop = context.WithCancel(ctx)
	for i := range s.clients {
		node := launch.NewClient(cluster.HTTPAddr(i%cluster.Size()), chargeTimeout)
		l.clients.Go(func() {
			defer node.Close()
			for launch.Pause(ctx, s.pause) == nil {
				begin := time.Now()
				var verdict struct {
					Valid bool
					Code  string
				}
				request := map[string]any{"key": secret(rand.IntN(s.keys)), "credits": map[string]any{"cost": 1}}
				answer := node.Call(ctx, "keys.verifyKey", request, &verdict)
				if answer.Err == nil && !verdict.Valid {
					answer.Err = fmt.Errorf("a valid key was denied: %s", verdict.Code)
				}
				l.note(ctx, time.Since(begin), answer.Err)
			}
		})
	}
	return l
}

func (l *load) note(ctx context.Context, took time.Duration, failure error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return // it was told to stop
	}
	_ = l.into.RecordValue(max(1, took.Microseconds())) // never beyond chargeTimeout by much
	if failure != nil {
		l.failures[failure.Error()]++
	}
}

// measure collects the answer times of the charges that end while do runs.
func (l *load) measure(into *hdrhistogram.Histogram, do func() error) error {
	l.swap(into)
	defer l.swap(newTimes())
	return do()
}

func (l *load) swap(into *hdrhistogram.Histogram) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.into = into
}

// end stops the clients and reports their failures.
func (l *load) end() error {
	l.stop()
	l.clients.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var failed []error
	for text, n := range l.failures {
		failed = append(failed, fmt.Errorf("%d charges: %s", n, text))
	}
	return errors.Join(failed...)
}

// shown are the times of a histogram.
func shown(h *hdrhistogram.Histogram) string {
	return fmt.Sprintf("%6d charges  p50 %8v  p99 %8v  slowest %8v", h.TotalCount(), at(h, 50), at(h, 99), at(h, 100))
}

func at(h *hdrhistogram.Histogram, percentile float64) time.Duration {
	return (time.Duration(h.ValueAtPercentile(percentile)) * time.Microsecond).Round(10 * time.Microsecond)
}
