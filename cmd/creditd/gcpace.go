package main

import (
	"os"
	"runtime/debug"
)

// gcPace lets garbage gather up to a fixed amount before a collection, where Go would let as much gather as is in use. A small ledger has little
// in use, and a request may allocate many megabytes: then a third of the CPU went into collections.
type gcPace struct {
	room    int64 // garbage, in bytes
	percent int   // as it was set
	set     func(percent int) (before int)
}

const (
	usualPercent, mostPercent = 100, 1600
	mostGarbage               = 128 << 20
	garbageShare              = 16 // of the memory limit
	streamPercent             = 400
)

// newGCPace returns nil where the environment has set GOGC.
func newGCPace(limit int64) *gcPace {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	return &gcPace{room: min(limit/garbageShare, mostGarbage), percent: usualPercent, set: debug.SetGCPercent}
}

// after is called after a collection that left so much in use. Each change of the percentage stops the process for a moment, so small ones wait.
func (p *gcPace) after(used int64) {
	if p == nil {
		return
	}
	percent := int(max(usualPercent, min(100*p.room/max(used, 1), mostPercent)))
	if change := percent - p.percent; 4*max(change, -change) > p.percent {
		p.percent = percent
		p.set(percent)
	}
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
