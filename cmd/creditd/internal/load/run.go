package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// reconnectPause keeps connections to a node that is down from taking the machine with them.
const reconnectPause = 20 * time.Millisecond

// Run creates the keys, puts load on the nodes, reports what was measured, and removes the keys. An early end of ctx ends the load, and
// the report covers what there was until then. With an error, the report is that of the load, or nil if there was none.
func Run(ctx context.Context, config Config) (*Report, error) {
	c := newCreator(config)
	defer c.client.Close()
	keys, err := c.makeKeys(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create the keys: %w", err), c.finish(ctx))
	}
	report, err := measure(ctx, config, keys)
	return report, errors.Join(err, c.finish(ctx))
}

// removalLimit bounds the removal: a run must end, also against nodes that are gone.
const removalLimit = time.Minute

// finish removes what the run made, or says that it stays.
func (c *creator) finish(ctx context.Context) error {
	switch {
	case c.apiID == "":
		return nil
	case c.config.Keep:
		_, err := fmt.Fprintf(c.config.Progress, "kept %s\n", c.made())
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalLimit)
	defer cancel()
	if err := c.remove(ctx); err != nil {
		return fmt.Errorf("remove %s: %w", c.made(), err)
	}
	return nil
}

// measure puts load on the nodes and reports it.
func measure(ctx context.Context, config Config, keys []string) (*Report, error) {
	workers, err := newWorkers(config, keys)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	window := window{from: start.Add(config.Warmup), to: start.Add(config.Warmup + config.Duration)}
	ctx, cancel := context.WithDeadline(ctx, window.to)
	defer cancel()

	var running sync.WaitGroup
	for _, w := range workers {
		running.Go(func() { w.run(ctx, start, window) })
	}
	reported := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(reported)
		progress(config, workers, start, window, finished)
	}()
	running.Wait()
	close(finished)
	<-reported
	// The last answers come after the window: dividing by the window alone would flatter a server that stalls then.
	report := newReport(config, workers, time.Since(window.from))
	return &report, nil
}

// window is the measured part of a run; load before it is warm-up.
type window struct{ from, to time.Time }

// worker is one connection and everything it counts.
type worker struct {
	connection connection
	requests   [][]byte
	random     *rand.PCG
	batch      int           // verifications of one request, 0: it is none of several
	interval   time.Duration // between due times; 0 in a closed loop
	offset     time.Duration // of the first due time

	latency *hdrhistogram.Histogram
	tally   tally

	// Read by progress while the run goes on; written by this worker only.
	done   atomic.Uint64
	failed atomic.Uint64
	_      [64]byte // keeps the counters of two workers out of one cache line
}

func newWorkers(config Config, keys []string) ([]*worker, error) {
	requests := make([][][]byte, len(config.Addrs))
	for i, addr := range config.Addrs {
		var err error
		if requests[i], err = verifyRequests(config, addr, keys); err != nil {
			return nil, err
		}
	}
	workers := make([]*worker, config.Connections)
	for i := range workers {
		w := &worker{
			connection: connection{addr: config.Addrs[i%len(config.Addrs)], secured: config.TLS, timeout: config.Timeout},
			requests:   requests[i%len(config.Addrs)],
			random:     rand.NewPCG(uint64(i), uint64(len(keys))),
			latency:    newLatencies(),
			tally:      newTally(),
			batch:      config.Batch,
		}
		if config.Rate > 0 {
			w.interval = time.Duration(float64(config.Connections) / config.Rate * float64(time.Second))
			w.offset = w.interval * time.Duration(i) / time.Duration(config.Connections)
		}
		workers[i] = w
	}
	return workers, nil
}

func (w *worker) run(ctx context.Context, start time.Time, window window) {
	defer w.connection.close()
	due := start.Add(w.offset)
	now := time.Now()
	for ctx.Err() == nil {
		begin := now
		if w.interval > 0 {
			if !pauseUntil(ctx, due) {
				return
			}
			begin, due = due, due.Add(w.interval)
		}
		if !begin.Before(window.to) {
			return
		}
		request := w.requests[w.random.Uint64()%uint64(len(w.requests))]
		got, err := w.connection.exchange(request, now)
		now = time.Now()
		if begin.Before(window.from) {
			w.skip(err == nil && got.status == 200)
		} else {
			w.count(got, err, now.Sub(begin))
		}
		if err != nil {
			pauseUntil(ctx, now.Add(reconnectPause))
			now = time.Now()
		}
	}
}

func (w *worker) skip(ok bool) {
	w.done.Add(1)
	if !ok {
		w.failed.Add(1)
	}
}

func (w *worker) count(got answer, err error, latency time.Duration) {
	w.done.Add(1)
	ok := false
	if err != nil {
		w.tally.countFailure(err)
	} else {
		record(w.latency, latency)
		if w.batch > 0 {
			ok = w.tally.countBatch(got, w.batch)
		} else {
			ok = w.tally.count(got)
		}
	}
	if !ok {
		w.failed.Add(1)
	}
}

// pauseUntil returns false when the run ended first. A due time in the past costs nothing.
func pauseUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// progress writes one line a second.
func progress(config Config, workers []*worker, start time.Time, window window, finished <-chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var lastDone, lastFailed uint64
	last := start
	for {
		select {
		case <-finished:
			return
		case now := <-ticker.C:
			var done, failed uint64
			for _, w := range workers {
				done += w.done.Load()
				failed += w.failed.Load()
			}
			phase := ""
			if now.Before(window.from) {
				phase = "  warm-up"
			}
			rate := float64(done-lastDone) / now.Sub(last).Seconds()
			_, _ = fmt.Fprintf(config.Progress, "%4.0fs %10.0f req/s %8d errors%s\n",
				now.Sub(start).Seconds(), rate, failed-lastFailed, phase)
			lastDone, lastFailed, last = done, failed, now
		}
	}
}
