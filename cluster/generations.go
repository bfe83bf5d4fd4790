package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/membership"
)

// generationInterval is how often a node looks whether its cluster was recovered without it.
const generationInterval = time.Second

// generationWatch notices that the cluster was recovered without this node.
type generationWatch struct {
	nodeID    string
	clusterID func() string
	directory *membership.Directory
	reporter  *membership.Reporter
	leader    func() raft.ServerID
	patience  time.Duration             // how long a node that had a leader only says so
	leave     func(mark func() error)   // ends the node, with the error of mark
	removed   func(report string) error // marks the data directory
	logger    *slog.Logger
}

// watch ends this node once its cluster was recovered without it: see package recovery. A node that has a leader only says so, because
// the cluster that it belongs to may be the one that should go on.
func (w *generationWatch) watch(ctx context.Context) {
	ticker := time.NewTicker(generationInterval)
	defer ticker.Stop()
	led := time.Now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if w.leader() != "" {
			led = time.Now()
		}
		own := generation.Parse(w.clusterID())
		nodeID, later, found := w.laterGeneration(ctx, own)
		switch {
		case !found:
		case time.Since(led) < w.patience:
			w.logger.Error("this cluster was recovered as another generation while this node has a leader, or had one a moment ago: two clusters may serve. Stop one of them",
				"generation", own.Generation(), "other_generation", later.Generation(), "other_node", nodeID)
		default:
			w.leave(func() error { return w.markLeftBehind(own, later, nodeID) })
			return
		}
	}
}

// unlessRecovered returns why this node cannot start: its cluster was recovered without it, or else err.
func (w *generationWatch) unlessRecovered(ctx context.Context, err error) error {
	own := generation.Parse(w.clusterID())
	if nodeID, later, found := w.laterGeneration(ctx, own); found {
		return w.markLeftBehind(own, later, nodeID)
	}
	return err
}

// markLeftBehind marks the data directory, as that of a node that was removed, and returns the error to stop with.
func (w *generationWatch) markLeftBehind(own, later generation.ID, nodeID string) error {
	return w.removed(fmt.Sprintf("%s belongs to generation %s of cluster %s, which was recovered without it as generation %s: %s is there",
		w.nodeID, own.Generation(), own.Base, later.Generation(), nodeID))
}

// laterGeneration finds a node of a later generation of this cluster. What gossip says, the node itself must confirm.
func (w *generationWatch) laterGeneration(ctx context.Context, own generation.ID) (nodeID string, later generation.ID, found bool) {
	addrs := make(map[string]string)
	for _, m := range w.directory.Members() {
		if m.Foreign && m.Health == gossip.Alive && generation.Parse(m.ClusterID).Succeeds(own) {
			addrs[m.ID] = m.PeerAddr
		}
	}
	if len(addrs) == 0 {
		return "", later, false
	}
	for id, r := range w.reporter.Ask(ctx, addrs) {
		if theirs := generation.Parse(r.ClusterID); theirs.Succeeds(own) && (!found || theirs.Succeeds(later)) {
			nodeID, later, found = id, theirs, true
		}
	}
	return nodeID, later, found
}
