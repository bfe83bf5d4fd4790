package membership

import (
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
)

// Peer is another server as the leader's last judgement has it.
type Peer struct {
	ID          string
	Healthy     bool
	LastContact time.Duration // since it heard the leader; negative: never
	LastIndex   uint64        // of its log
}

// Peers returns the other servers while this node leads, nil if it has not judged them yet.
func (r *Reconciler) Peers() (peers []Peer) {
	health := r.health.Load()
	if health == nil {
		return nil
	}
	for _, s := range r.Directory.Servers() {
		if h := health.Servers[s.ID]; h != nil && string(s.ID) != r.NodeID {
			peers = append(peers, Peer{string(s.ID), h.Health.Healthy, h.Stats.LastContact, h.Stats.LastIndex})
		}
	}
	return peers
}

// Voters counts the voters of raft's configuration, and those of them that gossip sees alive.
func (d *Directory) Voters() (all, alive int) {
	up := map[string]bool{d.nodeID: true}
	for _, m := range d.Members() {
		up[m.ID] = up[m.ID] || m.Health == gossip.Alive
	}
	for _, s := range d.Servers() {
		if s.Suffrage == raft.Voter {
			if all++; up[string(s.ID)] {
				alive++
			}
		}
	}
	return all, alive
}
