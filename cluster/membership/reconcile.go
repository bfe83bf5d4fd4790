package membership

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
)

// Reconciler makes raft's configuration follow gossip, on the leader.
type Reconciler struct {
	Base
	Interval          time.Duration   // between two comparisons without an event
	Changed           <-chan struct{} // delivers a token after gossip's members have changed
	Blocked           func(nodeID string) bool
	Reporter          *Reporter
	LedgerVersion     func() uint64 // a node that does not read it is not added
	StabilizationTime time.Duration // how long a new node must be healthy before it gets a vote
	ContactThreshold  time.Duration // since the leader was heard, at a healthy node
	AutopilotLogger   hclog.Logger
}

// Run compares gossip with raft's configuration until ctx ends: at the beginning, on every event, and every Interval. Autopilot promotes
// the nodes that it adds.
func (r *Reconciler) Run(ctx context.Context) {
	pilot := autopilot.New(r.Raft, autopilotDelegate{r},
		autopilot.WithLogger(r.AutopilotLogger), autopilot.WithUpdateInterval(r.autopilotInterval()),
		autopilot.WithReconcileInterval(r.autopilotInterval()))
	pilot.Start(ctx)
	defer func() { <-pilot.Stop() }()

	ticker := time.NewTicker(r.Interval)
	defer ticker.Stop()
	for {
		r.reconcile(ctx)
		select {
		case <-ctx.Done():
			return
		case <-r.Changed:
		case <-ticker.C:
		}
	}
}

// autopilotInterval is how often autopilot looks: often enough to see a new node stay healthy for the whole stabilization time.
func (r *Reconciler) autopilotInterval() time.Duration {
	return min(2*time.Second, r.StabilizationTime/4)
}

// reconcile makes at most the changes that gossip asks for now. A failed one is logged and tried again with the next event. Nodes that
// moved come before new nodes, which may have got their addresses.
func (r *Reconciler) reconcile(ctx context.Context) {
	for _, isNew := range []bool{false, true} {
		for _, m := range r.Directory.Members() {
			if ctx.Err() != nil {
				return
			}
			if !m.Eligible() || m.Self || r.Blocked(m.ID) || isNew != (r.Directory.Server(m.ID) == nil) {
				continue
			}
			if v := r.LedgerVersion(); isNew && (v < uint64(m.MinLedger) || v > uint64(m.MaxLedger)) {
				r.Logger.Warn("a node does not read the ledger version and is not added", "member", m.ID, "build", m.Version,
					"ledger_version", v, "reads_from", m.MinLedger, "reads_to", m.MaxLedger)
				continue
			}
			if err := r.addServer(ctx, m); err != nil {
				r.Logger.Warn("could not add a node", "member", m.ID, "addr", m.PeerAddr, "err", err)
			}
		}
	}
}

// addServer adds a member that raft does not know as a non-voter, and follows one that changed its address.
func (r *Reconciler) addServer(ctx context.Context, m gossip.Member) error {
	f := r.Raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return err
	}
	id, addr := raft.ServerID(m.ID), raft.ServerAddress(m.PeerAddr)
	var own, holder *raft.Server // the member's place, and another server that has its address
	for _, s := range f.Configuration().Servers {
		switch {
		case s.ID == id:
			own = &s
		case s.Address == addr:
			holder = &s
		}
	}
	switch {
	case own != nil && own.Address == addr:
		return nil
	case own != nil && holder != nil:
		// raft takes no address twice. The member is reached where gossip sees it (Directory), and the other one keeps its place.
		r.Logger.Info("a node moved to the address that another one has in the configuration", "member", m.ID, "other", holder.ID, "addr", addr)
		return nil
	case own != nil && own.Suffrage == raft.Voter:
		r.Logger.Info("a voter moved", "member", m.ID, "addr", m.PeerAddr)
		return r.Raft.AddVoter(id, addr, f.Index(), changeTimeout).Error()
	case holder != nil && r.isElsewhere(holder.ID, addr):
		return nil // the new node is added once the configuration has the other one's new address
	case holder != nil:
		// A node with a new id took the address over: the old node lost its data directory. It cannot vote again, and its
		// acknowledgements must not count. Gossip may still call the old one alive, so the node there is asked who it is.
		if !r.identityMatches(ctx, m) {
			return nil
		}
		r.Logger.Warn("a node came back without its data and joins as a new one", "old", holder.ID, "new", m.ID, "addr", m.PeerAddr)
		if err := r.Raft.RemoveServer(holder.ID, f.Index(), changeTimeout).Error(); err != nil {
			return err
		}
		return r.addServer(ctx, m)
	}
	r.Logger.Info("adding a node as a non-voter", "member", m.ID, "addr", m.PeerAddr)
	return r.Raft.AddNonvoter(id, addr, f.Index(), changeTimeout).Error()
}

// isElsewhere reports whether a server is this node, or one that gossip sees alive at another address than the one given.
func (r *Reconciler) isElsewhere(id raft.ServerID, addr raft.ServerAddress) bool {
	if string(id) == r.NodeID {
		return true
	}
	for _, m := range r.Directory.Members() {
		if m.ID == string(id) {
			return m.Health == gossip.Alive && m.PeerAddr != string(addr)
		}
	}
	return false
}

// identityMatches reports whether a member answers at its own peer address. While nobody does it asks again: the connection to the node
// that was there before may have to end first.
func (r *Reconciler) identityMatches(ctx context.Context, m gossip.Member) bool {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	for {
		if reply, err := Identify.Call(ctx, r.Client, m.PeerAddr, rpc.Nothing{}); err == nil {
			return reply.NodeID == m.ID
		}
		if !leader.Backoff(ctx) {
			return false
		}
	}
}
