package membership

import (
	"context"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
)

// change is one step towards a configuration in which every node that can vote does. It adds or removes one vote.
type change struct {
	remove  *raft.Server // a displaced voter
	promote *raft.Server // a non-voter
}

// fit is what the leader knows of a non-voter.
type fit struct {
	caughtUp bool // alive, and its log ends near the leader's
	stable   bool // likewise, for the stabilization time
}

// nextChange returns the next step, the zero one if there is none. gone reports whether a displaced server is gone for good.
//
// The steps of a replacement keep the size of the quorum. Of an odd number of voters, the one that lost its data goes first and its
// successor gets the vote afterwards; of an even number, the successor comes first. DESIGN.md says why.
func nextChange(servers []raft.Server, of func(raft.ServerID) fit, gone func(raft.Server) bool) change {
	voters := 0
	holders := make(map[string]*raft.Server) // by place
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			voters++
		}
		if place, displaced := Place(s.Address); !displaced {
			holders[place] = &s
		}
	}
	odd := voters%2 == 1
	var next change
	for _, s := range servers {
		place, displaced := Place(s.Address)
		successor := holders[place]
		if !displaced || successor == nil || !gone(s) {
			continue
		}
		switch {
		case successor.Suffrage == raft.Voter:
			return change{remove: &s}
		case !of(successor.ID).caughtUp:
		case odd && next.remove == nil:
			next.remove = &s
		case !odd && next.promote == nil:
			next.promote = successor
		}
	}
	if next != (change{}) {
		return next
	}
	for _, s := range servers {
		if f := of(s.ID); s.Suffrage != raft.Voter && (f.stable || f.caughtUp && !odd) {
			return change{promote: &s}
		}
	}
	return change{}
}

// promote makes the changes that autopilot's last judgement allows.
func (r *Reconciler) promote(ctx context.Context) {
	r.Changing.Lock()
	defer r.Changing.Unlock()
	of := r.judgement(ctx)
	for ctx.Err() == nil {
		f := r.Raft.GetConfiguration()
		if f.Error() != nil {
			return
		}
		next := nextChange(f.Configuration().Servers, of, r.isGone)
		if next == (change{}) {
			return
		}
		if err := r.make(ctx, next); err != nil {
			r.Steady.Warn("a vote could not be given or taken", "err", err)
			return
		}
	}
}

func (r *Reconciler) make(ctx context.Context, next change) error {
	if s := next.remove; s != nil {
		r.Logger.Warn("a voter that lost its data is given up: its successor has caught up", "member", s.ID)
		return r.await(ctx, r.Raft.RemoveServer(s.ID, 0, changeTimeout))
	}
	s := next.promote
	r.Logger.Info("a node has caught up and gets a vote", "member", s.ID)
	return r.await(ctx, r.Raft.AddVoter(s.ID, s.Address, 0, changeTimeout))
}

// judgement tells how fit the non-voters are. Autopilot keeps old answers of a node that gives no new one, so each node that it calls
// healthy is asked once more.
func (r *Reconciler) judgement(ctx context.Context) func(raft.ServerID) fit {
	health := r.health.Load()
	if health == nil {
		return func(raft.ServerID) fit { return fit{} }
	}
	conf := autopilotDelegate{r}.AutopilotConfig()
	healthy := make(map[string]string)
	for _, s := range r.Directory.Servers() {
		if h := health.Servers[s.ID]; s.Suffrage != raft.Voter && h != nil && h.Health.Healthy {
			healthy[string(s.ID)] = r.Directory.AddressOf(s.ID, s.Address)
		}
	}
	last := r.Raft.LastIndex()
	reports := r.Reporter.Ask(ctx, healthy)
	now := time.Now()
	return func(id raft.ServerID) fit {
		report, ok := reports[string(id)]
		if !ok || report.NonVoter || report.LastIndex+conf.MaxTrailingLogs < last {
			return fit{}
		}
		return fit{caughtUp: true, stable: health.Servers[id].Health.IsStable(now, health.ServerStabilizationTime(conf))}
	}
}

// isGone reports whether a displaced server is gone for good. One that was started elsewhere, with its data, is not.
func (r *Reconciler) isGone(s raft.Server) bool {
	place, _ := Place(s.Address)
	if string(s.ID) == r.NodeID {
		return false
	}
	for _, m := range r.Directory.Members() {
		if m.ID == string(s.ID) && m.Health == gossip.Alive && m.PeerAddr != place {
			return false
		}
	}
	return true
}
