package cluster

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/cluster/turns"
)

// ownPace is the pace of work that the node does for itself. It ends its rests when the node is about to stop.
type ownPace struct {
	*turns.Pace
	ctx context.Context
}

// Breathe implements replica.Pace.
func (p ownPace) Breathe() { _ = p.Pace.Breathe(p.ctx) } // the work goes on

// Rest implements replica.Pace.
func (p ownPace) Rest(worked time.Duration) { _ = p.Pace.Rest(p.ctx, worked) } // the work goes on

func patiently() float64 { return turns.PatientRest }

// patience is how long snapshots rest as those do who wait for one.
type patience struct{ until atomic.Int64 } // ns

// mostPatience is how long it lasts: clients do not wait for ever, and a snapshot behind an import is large.
const mostPatience = 20 * time.Second

func (p *patience) begin(now time.Time) { p.until.Store(now.Add(mostPatience).UnixNano()) }

func (p *patience) least() float64 {
	if time.Now().UnixNano() < p.until.Load() {
		return turns.PatientRest
	}
	return turns.LeastRest
}
