package main

import (
	"math"
	"os"
	"runtime/debug"
	"sync"
)

// gcPace lets garbage gather up to a fixed amount before a collection, where Go would let as much gather as is in use. A small ledger has little
// in use, and a request may allocate many megabytes: then a third of the CPU went into collections.
type gcPace struct {
	room    int64 // garbage, in bytes
	limited bool  // whether there is a memory limit
	set     func(percent int) (before int)

	mu      sync.Mutex
	percent int  // guarded by mu: as it was set
	paused  bool // guarded by mu
}

const (
	usualPercent, mostPercent = 100, 1600
	mostGarbage               = 128 << 20
	garbageShare              = 16 // of the memory limit
	streamPercent             = 400

	smallestBase = 4 << 20 // Go counts from at least so much
)

// newGCPace returns nil where the environment has set GOGC.
func newGCPace(limit int64) *gcPace {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	return &gcPace{room: min(limit/garbageShare, mostGarbage), percent: usualPercent, limited: limit < math.MaxInt64, set: debug.SetGCPercent}
}

// after is called after a collection that left so much in use. Each change of the percentage stops the process for a moment, so small ones wait.
func (p *gcPace) after(used int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	percent := int(max(usualPercent, min(100*p.room/max(used, 1), mostPercent)))
	if change := percent - p.percent; !p.paused && 4*max(change, -change) > p.percent {
		p.percent = percent
		p.set(percent)
	}
}

// pause stops collections while a node loads its ledger: nearly all that it allocates then is there to stay. Only the memory limit makes Go
// collect meanwhile.
func (p *gcPace) pause() {
	if p == nil || !p.limited {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
	p.set(-1)
}

// goOn ends a pause, as if a collection had left what is in use now. base is what the percentage counts from until the next collection.
func (p *gcPace) goOn(used, base int64) {
	if p == nil || !p.limited {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	p.percent = int(max(usualPercent, 100*(used+max(used, p.room))/max(base, smallestBase)))
	p.set(p.percent)
}

func (p *gcPace) stop() {
	if p != nil {
		p.set(usualPercent)
	}
}

// gatherGarbage lets a command that streams records collect less often: little of what it allocates is in use for long.
func gatherGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(streamPercent)
	}
}
