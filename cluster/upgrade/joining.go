package upgrade

import (
	"context"
	"fmt"
	"time"
)

// Ledger is what a node says of its ledger.
type Ledger struct {
	Version uint64
	Build   string // of the node
}

// Joining keeps a build that is too old out of a cluster. A leader does not add a node that cannot read its ledger, so the node itself
// has to find out and say so.
type Joining struct {
	Self     Node
	Interval time.Duration                               // between two looks
	Joined   func() bool                                 // whether raft's configuration has this node
	Ask      func(ctx context.Context) map[string]Ledger // the other nodes that answer, by id
	Met      func(version uint64)                        // a version that this build reads
	Fail     func(error)                                 // ends this node
}

// Run asks the other nodes for their ledger version: one time on a node that has joined, else until it has joined or ctx ends.
func (j *Joining) Run(ctx context.Context) {
	for {
		for id, l := range j.Ask(ctx) {
			if l.Version > j.Self.Reads.Max || l.Version != 0 && l.Version < j.Self.Reads.Min {
				j.Fail(fmt.Errorf("the cluster has ledger version %d (node %s runs creditd %s); this build (%s) reads ledger versions %d to %d: "+
					"start creditd %s or another build that reads version %d",
					l.Version, id, l.Build, j.Self.Build, j.Self.Reads.Min, j.Self.Reads.Max, l.Build, l.Version))
				return
			}
			j.Met(l.Version)
		}
		if j.Joined() {
			return
		}
		select {
		case <-time.After(j.Interval):
		case <-ctx.Done():
			return
		}
	}
}
