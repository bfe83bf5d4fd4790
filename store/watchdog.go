package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// watchdog tracks the store calls that are running, and turns the first failure or stall into one call of onFatal. A leader with a hung
// disk keeps its leadership (hashicorp/raft #503, #614, #666), so its node has to stop. Time is counted in ticks of one goroutine: a
// suspended process has not waited for its disk. See DESIGN.md.
type watchdog struct {
	logger   *slog.Logger
	onFatal  func(error)
	interval time.Duration
	unready  time.Duration
	fatalAge time.Duration

	ticks atomic.Uint32
	next  atomic.Uint32
	slots [64]watchdogSlot

	fatal  atomic.Pointer[Error]
	closed atomic.Bool
	stop   chan struct{}
	done   sync.WaitGroup
}

// watchdogSlot holds one running call (start tick, kind, extra ticks that it may take), or 0. Each slot has its own cache line.
type watchdogSlot struct {
	call atomic.Uint64
	_    [56]byte
}

const mostExtraTicks = 1<<24 - 1

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

// close stops the goroutine. Later failures are not reported.
func (d *watchdog) close() {
	if d.closed.CompareAndSwap(false, true) {
		close(d.stop)
	}
	d.done.Wait()
}

// begin records a call. extra is added to the limits, for work of a known size. It returns nil if all 64 slots are in use: then 64 other
// calls show the stall.
func (d *watchdog) begin(kind callKind, extra time.Duration) *watchdogSlot {
	extraTicks := min(uint64(extra/d.interval), mostExtraTicks)
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

func (s *watchdogSlot) end() {
	if s != nil {
		s.call.Store(0)
	}
}

// pause runs what a call does besides its work: it rests, or waits for another call. The time does not count.
func (d *watchdog) pause(s *watchdogSlot, idle func()) {
	if s == nil {
		idle()
		return
	}
	call, since := s.call.Load(), d.ticks.Load()
	s.call.Store(call | mostExtraTicks)
	idle()
	s.call.Store(call + uint64(d.ticks.Load()-since)<<32)
}

// stalled returns an error that names a call that has run for longer than limit.
func (d *watchdog) stalled(limit time.Duration) *Error {
	now := d.ticks.Load()
	for i := range d.slots {
		packed := d.slots[i].call.Load()
		if packed == 0 {
			continue
		}
		// Signed, because the call may have begun after now was read.
		age := time.Duration(int32(now-uint32(packed>>32))) * d.interval
		if age > limit+time.Duration(packed&mostExtraTicks)*d.interval {
			return &Error{Kind: KindStalled,
				Message: fmt.Sprintf("a %s has been running for %v; check the disk", callNames[packed>>24&0xff], age.Round(time.Millisecond))}
		}
	}
	return nil
}

// healthy returns nil, the fatal error, or an error that names a stalled call.
func (d *watchdog) healthy() error {
	if err := d.fatal.Load(); err != nil {
		return err
	}
	if err := d.stalled(d.unready); err != nil {
		return err
	}
	return nil
}

// admit refuses all writes after a failure.
func (d *watchdog) admit() error {
	if err := d.fatal.Load(); err != nil {
		return err
	}
	return nil
}

// fail records the first failure. It calls onFatal from another goroutine, so that onFatal may close the store.
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
