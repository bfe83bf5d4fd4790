package main

import (
	"context"
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// memoryShare is the part of the machine's or the container's memory that Go may use. The rest is for the kernel's buffers of connections
	// and of files.
	memoryShare = 0.85
	// Above shortFrom of the limit the process is short of memory, until it is below shortUntil.
	shortFrom, shortUntil = 0.85, 0.75

	memoryInterval = 100 * time.Millisecond
	// collectInterval is how long a collection may be ago while the process is short of memory: only a collection shows that it is not any more.
	// After a load, too, only a collection shows what is in use.
	collectInterval = 10 * time.Second
)

// limitMemory sets Go's limit unless the environment has, and returns it. source says where it comes from. math.MaxInt64: there is none.
func limitMemory() (limit int64, source string) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return debug.SetMemoryLimit(-1), "GOMEMLIMIT"
	}
	bytes, source := smallest(memlimit.FromCgroup, memlimit.FromSystem)
	if source == "" {
		return math.MaxInt64, "nowhere"
	}
	limit = int64(memoryShare * float64(bytes))
	debug.SetMemoryLimit(limit)
	return limit, source
}

// smallest is the least of the limits that the cgroup and the machine set, and which of them. A limit that cannot be read does not count.
func smallest(cgroup, system memlimit.Provider) (bytes uint64, source string) {
	bytes = math.MaxInt64
	for _, one := range []struct {
		source string
		limit  memlimit.Provider
	}{{"cgroup", cgroup}, {"machine", system}} {
		if limit, err := one.limit(); err == nil && limit < bytes {
			bytes, source = limit, one.source
		}
	}
	return bytes, source
}

// memoryWatch knows whether the process is about to run out of memory.
type memoryWatch struct {
	limit int64
	used  atomic.Int64
	short atomic.Bool

	logger  *slog.Logger
	read    func() (used int64, collections uint64)
	collect func()
	pace    *gcPace // nil: it is not ours

	collections uint64
	collected   time.Time                 // when collections was another number, or collect was called
	loaded      atomic.Pointer[time.Time] // when load ended; nil: a collection has shown what it left
}

// load runs what fills the memory with what stays there, without collections.
func (w *memoryWatch) load(fill func() error) error {
	w.pace.pause()
	defer func() {
		w.pace.goOn(loadedMemory())
		now := time.Now()
		w.loaded.Store(&now)
	}()
	return fill()
}

// loadedMemory returns how many bytes are on the heap, and from how many Go counts its percentage.
func loadedMemory() (used, base int64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(samples)
	for _, s := range samples[1:] {
		base += int64(s.Value.Uint64())
	}
	return int64(samples[0].Value.Uint64()), base
}

// watchMemory watches until the returned function is called.
func watchMemory(limit int64, logger *slog.Logger) (w *memoryWatch, stop func()) {
	w = &memoryWatch{limit: limit, logger: logger, read: readMemory(), collect: runtime.GC, pace: newGCPace(limit)}
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { w.run(ctx) })
	return w, func() {
		cancel()
		ended.Wait()
		w.pace.stop()
	}
}

func (w *memoryWatch) run(ctx context.Context) {
	ticker := time.NewTicker(memoryInterval)
	defer ticker.Stop()
	for {
		w.step(time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// step looks at the memory in use.
func (w *memoryWatch) step(now time.Time) {
	used, collections := w.read()
	loaded := w.loaded.Load()
	if collections != w.collections {
		w.collections, w.collected = collections, now
		w.loaded.CompareAndSwap(loaded, nil)
		w.pace.after(used)
	} else if w.short.Load() && now.Sub(w.collected) > collectInterval || loaded != nil && now.Sub(*loaded) > collectInterval {
		w.loaded.CompareAndSwap(loaded, nil)
		w.collected = now
		w.collect()
		used, w.collections = w.read()
	}
	w.used.Store(used)
	was, share := w.short.Load(), float64(used)/float64(w.limit)
	if short := share > shortFrom || was && share > shortUntil; short != was {
		w.short.Store(short)
		if short {
			w.logger.Warn("memory is nearly used up: large requests are refused", "used", used, "limit", w.limit)
		} else {
			w.logger.Info("memory is free again: large requests are served", "used", used, "limit", w.limit)
		}
	}
}

// readMemory returns a function that reads what the last collection left, and what Go itself takes. Garbage does not count: the limit makes Go
// collect it.
func readMemory() func() (used int64, collections uint64) {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	return func() (int64, uint64) {
		metrics.Read(samples)
		value := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
		besideHeap := value(1) - value(2) - value(3) - value(4) - value(5)
		return value(0) + besideHeap, samples[6].Value.Uint64()
	}
}

func (w *memoryWatch) collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		gauge("creditd_memory_limit_bytes", "Memory that the process should not exceed: GOMEMLIMIT, or a share of the cgroup's or the machine's.",
			func() float64 { return float64(w.limit) }),
		gauge("creditd_memory_used_bytes", "Memory in use after the last collection.", func() float64 { return float64(w.used.Load()) }),
		gauge("creditd_memory_short", "1 while large requests are refused because memory is nearly used up.", func() float64 {
			if w.short.Load() {
				return 1
			}
			return 0
		}),
	}
}

// roomWithin is the room for bodies or answers that a node has without a setting: an eighth of its memory limit, within bounds.
func roomWithin(limit int64, most uint64) uint64 { return max(min(uint64(limit)/8, most), leastMemory) }
