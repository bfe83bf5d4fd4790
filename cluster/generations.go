package cluster

import (
	"fmt"
	"time"

	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/gossip"
)

// generationInterval is how often a node looks whether its cluster was recovered without it.
const generationInterval = time.Second

// watchGenerations ends this node once its cluster was recovered without it: see package recovery. A node that has a leader only says so, because
// the cluster that it belongs to may be the one that should go on.
func (n *Node) watchGenerations() {
	ticker := time.NewTicker(generationInterval)
	defer ticker.Stop()
	patience := 3*n.conf.ElectionTimeout + n.conf.HeartbeatTimeout
	led := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-n.ctx.Done():
			return
		}
		if n.leader.Current() != "" {
			led = time.Now()
		}
		own := generation.Parse(n.clusterID())
		nodeID, later, found := n.laterGeneration(own)
		switch {
		case !found:
		case time.Since(led) < patience:
			n.steady.Error("this cluster was recovered as another generation while this node has a leader, or had one a moment ago: two clusters may serve. Stop one of them",
				"generation", own.Generation(), "other_generation", later.Generation(), "other_node", nodeID)
		default:
			n.left.Do(func() { n.Fail(n.markLeftBehind(own, later, nodeID)) })
			return
		}
	}
}

// unlessRecovered returns why this node cannot start: its cluster was recovered without it, or else err.
func (n *Node) unlessRecovered(err error) error {
	own := generation.Parse(n.clusterID())
	if nodeID, later, found := n.laterGeneration(own); found {
		return n.markLeftBehind(own, later, nodeID)
	}
	return err
}

// markLeftBehind marks the data directory, as that of a node that was removed, and returns the error to stop with.
func (n *Node) markLeftBehind(own, later generation.ID, nodeID string) error {
	return n.markRemoved(fmt.Sprintf("%s belongs to generation %s of cluster %s, which was recovered without it as generation %s: %s is there",
		n.id, own.Generation(), own.Base, later.Generation(), nodeID))
}

// laterGeneration finds a node of a later generation of this cluster. What gossip says, the node itself must confirm.
func (n *Node) laterGeneration(own generation.ID) (nodeID string, later generation.ID, found bool) {
	addrs := make(map[string]string)
	for _, m := range n.directory.Members() {
		if m.Foreign && m.Health == gossip.Alive && generation.Parse(m.ClusterID).Succeeds(own) {
			addrs[m.ID] = m.PeerAddr
		}
	}
	if len(addrs) == 0 {
		return "", later, false
	}
	for id, r := range n.reporter.Ask(n.ctx, addrs) {
		if theirs := generation.Parse(r.ClusterID); theirs.Succeeds(own) && (!found || theirs.Succeeds(later)) {
			nodeID, later, found = id, theirs, true
		}
	}
	return nodeID, later, found
}
