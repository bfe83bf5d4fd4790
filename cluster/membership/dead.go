package membership

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
)

// leastVoters is what the removal of dead voters leaves: with fewer, the next loss would stop the cluster.
const leastVoters = 3

// deadVoter returns a voter that is dead for so long, if the cluster can do without it: at least three others are left, and all of them are up.
func deadVoter(servers []raft.Server, members []gossip.Member, self string, after time.Duration, now time.Time) string {
	health := make(map[string]gossip.Member, len(members))
	for _, m := range members {
		health[m.ID] = m
	}
	dead, left := "", 0
	for _, s := range servers {
		m, seen := health[string(s.ID)]
		switch _, displaced := Place(s.Address); {
		case s.Suffrage != raft.Voter:
		case displaced:
			return "" // its successor takes its place: see promote.go
		case string(s.ID) == self, seen && m.Health == gossip.Alive:
			left++
		case dead != "" || !seen || m.Health != gossip.Failed || now.Sub(m.Since) < after:
			return "" // another one is down, or this one may come back
		default:
			dead = m.ID
		}
	}
	if left < leastVoters {
		return ""
	}
	return dead
}

// answers reports whether a server is there: gossip has a port of its own, which a firewall may close while raft goes on.
func (r *Reconciler) answers(ctx context.Context, s *raft.Server) bool {
	id := string(s.ID)
	_, ok := r.Reporter.Ask(ctx, map[string]string{id: r.Directory.AddressOf(s.ID, s.Address)})[id]
	return ok
}

// removeDead removes a voter that is dead for too long, if that is wanted. It is refused like the removal by an operator.
func (r *Reconciler) removeDead(ctx context.Context) {
	if r.DeadAfter == 0 {
		return
	}
	dead := deadVoter(r.Directory.Servers(), r.Directory.Members(), r.NodeID, r.DeadAfter, time.Now())
	if dead == "" {
		return
	}
	if s := r.Directory.Server(dead); s != nil && r.answers(ctx, s) {
		r.Steady.Warn("a voter that gossip calls dead answers at its peer address, so it is not removed: is its gossip address reachable?", "member", dead)
		return
	}
	by := fmt.Sprintf("the leader: it was dead for %s", r.DeadAfter)
	if err := r.Removal.here(ctx, removal{NodeID: dead, By: by}); err != nil {
		r.Steady.Warn("a dead voter could not be removed", "member", dead, "err", err)
		return
	}
	r.Logger.Warn("a dead voter was removed", "member", dead, "after", r.DeadAfter)
}
