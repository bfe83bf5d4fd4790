package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// watchdog knows which store calls are running and for how long, and turns the
// first failure into one call of onFatal.
//
// A hung disk blocks raft's main loop while its heartbeats continue, so nobody
// else is elected (hashicorp/raft #503, #614, #666). Timing the call out would
// not help: the abandoned write can still land later. So the node has to leave,
// and this is what tells it to.
//
// Time is counted in ticks seen by one goroutine, not read from the clock: a
// process that was stopped, or a machine that was suspended, has not waited for
// its disk. A call costs two atomic operations.
type watchdog struct {
	logger   *slog.Logger
	onFatal  func(error)
	interval time.Duration
	unready  time.Duration
	fatalAge time.Duration

	ticks atomic.Uint32
	next  atomic.Uint32
	slots [64]watchSlot

	fatal  atomic.Pointer[Error]
	closed atomic.Bool
	stop   chan struct{}
	done   sync.WaitGroup
}

// watchSlot holds one running call, or 0: the tick it started at, its kind, and
// the ticks it may take on top. One slot per cache line.
type watchSlot struct {
	call atomic.Uint64
	_    [56]byte
}

type callKind uint8

const (
	callNone callKind = iota
	callLogRead
	callLogWrite
	callLogDelete
	callStableRead
	callStableWrite
	callSnapshotRead
	callSnapshotWrite
	callSnapshotCommit
)

var callNames = [...]string{"", "log read", "log write", "log truncation", "stable store read", "stable store write",
	"snapshot read", "snapshot write", "snapshot commit"}

func newWatchdog(logger *slog.Logger, unready, fatal time.Duration, onFatal func(error)) *watchdog {
	d := &watchdog{
		logger: logger, onFatal: onFatal, unready: unready, fatalAge: fatal,
		interval: max(unready/16, time.Millisecond), stop: make(chan struct{}),
	}
	d.done.Go(d.run)
	return d
}

func (d *watchdog) run() {
	ticker := time.NewTicker(d.interval)
	defer ticker.Stop()
	slow := false
	for {
		select {
		case <-d.stop:
			return
		case <-ticker.C:
		}
		d.ticks.Add(1)
		if err := d.stalled(d.fatalAge); err != nil {
			d.fail(err)
		}
		err := d.stalled(d.unready)
		if err != nil && !slow {
			d.logger.Warn("a store call does not return", "error", err)
		} else if err == nil && slow {
			d.logger.Info("store calls return again")
		}
		slow = err != nil
	}
}

// close ends the goroutine; calls that fail afterwards are no news.
func (d *watchdog) close() {
	if d.closed.CompareAndSwap(false, true) {
		close(d.stop)
	}
	d.done.Wait()
}

// begin notes a call that may take extra on top of the limits, for the work of a
// known size. It returns nil when all slots are taken: 64 calls that do not
// return are noticed without the 65th.
func (d *watchdog) begin(kind callKind, extra time.Duration) *watchSlot {
	extraTicks := min(uint64(extra/d.interval), 1<<24-1)
	packed := uint64(d.ticks.Load())<<32 | uint64(kind)<<24 | extraTicks
	first := d.next.Add(1)
	for i := range uint32(len(d.slots)) {
		s := &d.slots[(first+i)%uint32(len(d.slots))]
		if s.call.CompareAndSwap(0, packed) {
			return s
		}
	}
	return nil
}

func (s *watchSlot) end() {
	if s != nil {
		s.call.Store(0)
	}
}

// stalled returns an error naming a call that has been running for longer than limit.
func (d *watchdog) stalled(limit time.Duration) *Error {
	now := d.ticks.Load()
	for i := range d.slots {
		packed := d.slots[i].call.Load()
		if packed == 0 {
			continue
		}
		// Signed: the call may have begun after now was read.
		age := time.Duration(int32(now-uint32(packed>>32))) * d.interval
		if age > limit+time.Duration(packed&(1<<24-1))*d.interval {
			return &Error{Kind: KindStalled,
				Message: fmt.Sprintf("a %s has been running for %v; check the disk", callNames[packed>>24&0xff], age.Round(time.Millisecond))}
		}
	}
	return nil
}

// healthy returns nil, the fatal error, or the call that stalls.
func (d *watchdog) healthy() error {
	if err := d.fatal.Load(); err != nil {
		return err
	}
	if err := d.stalled(d.unready); err != nil {
		return err
	}
	return nil
}

// admit refuses writes after a failure.
func (d *watchdog) admit() error {
	if err := d.fatal.Load(); err != nil {
		return err
	}
	return nil
}

// fail records the first failure and reports it from a goroutine of its own, so
// that onFatal may close the store.
func (d *watchdog) fail(err error) {
	if d.closed.Load() {
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: KindFailed, Message: "a store call failed", Err: err}
	}
	if !d.fatal.CompareAndSwap(nil, e) {
		return
	}
	d.logger.Error("the store failed; the node must stop", "error", e)
	if d.onFatal != nil {
		go d.onFatal(e)
	}
}
