package cluster

import (
	"context"
	"time"

	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
)

// changeTimeout bounds one change of raft's configuration.
const changeTimeout = 10 * time.Second

// keepMembership compares gossip with raft's configuration until the term ends: at its beginning, on every event, and now and then.
// Autopilot promotes what it adds.
func (n *Node) keepMembership(ctx context.Context) {
	if n.conf.GossipAddr == "" {
		<-ctx.Done()
		return
	}
	pilot := autopilot.New(n.raft, pilotDelegate{n},
		autopilot.WithLogger(raftLogger(n.log)), autopilot.WithUpdateInterval(n.pilotInterval()),
		autopilot.WithReconcileInterval(n.pilotInterval()))
	pilot.Start(ctx)
	defer func() { <-pilot.Stop() }()

	ticker := time.NewTicker(n.conf.ReconcileInterval)
	defer ticker.Stop()
	for {
		n.reconcile(ctx)
		select {
		case <-ctx.Done():
			return
		case <-n.gossipChanged:
		case <-ticker.C:
		}
	}
}

// pilotInterval is how often autopilot looks: often enough to see a newcomer stay healthy for the whole stabilization time.
func (n *Node) pilotInterval() time.Duration { return min(2*time.Second, n.conf.StabilizationTime/4) }

// reconcile makes at most the changes that gossip asks for now. A failed one is logged and tried again with the next event. Nodes that
// moved come before newcomers, who may have got their addresses.
func (n *Node) reconcile(ctx context.Context) {
	for _, newcomers := range []bool{false, true} {
		for _, m := range n.known() {
			if ctx.Err() != nil {
				return
			}
			if !m.Eligible() || m.Self || n.isBanished(m.ID) || newcomers != (n.server(m.ID) == nil) {
				continue
			}
			if err := n.admit(ctx, m); err != nil {
				n.log.Warn("could not take a node in", "member", m.ID, "addr", m.PeerAddr, "err", err)
			}
		}
	}
}

// admit adds a member that raft does not know as a non-voter, and follows one that changed its address.
func (n *Node) admit(ctx context.Context, m gossip.Member) error {
	f := n.raft.GetConfiguration()
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
		// raft takes no address twice. The member is reached where gossip sees it (addressBook), and the other one keeps its place.
		n.log.Info("a node moved to the address that another one has in the configuration", "member", m.ID, "other", holder.ID, "addr", addr)
		return nil
	case own != nil && own.Suffrage == raft.Voter:
		n.log.Info("a voter moved", "member", m.ID, "addr", m.PeerAddr)
		return n.raft.AddVoter(id, addr, f.Index(), changeTimeout).Error()
	case holder != nil && n.lives(holder.ID, addr):
		return nil // it moved; once the configuration has its new address there is room for the newcomer
	case holder != nil:
		// The address was taken over by a node with a new id: the old one lost its data directory. It cannot vote again, and its
		// acknowledgements must not count. Gossip may still call the old one alive, so the node there is asked who it is.
		if !n.isAt(ctx, m) {
			return nil
		}
		n.log.Warn("a node came back without its data and gets a new place", "old", holder.ID, "new", m.ID, "addr", m.PeerAddr)
		if err := n.raft.RemoveServer(holder.ID, f.Index(), changeTimeout).Error(); err != nil {
			return err
		}
		return n.admit(ctx, m)
	}
	n.log.Info("taking a node in as a non-voter", "member", m.ID, "addr", m.PeerAddr)
	return n.raft.AddNonvoter(id, addr, f.Index(), changeTimeout).Error()
}

// lives reports whether a server is this node, or one that gossip sees alive at another address than the one given.
func (n *Node) lives(id raft.ServerID, addr raft.ServerAddress) bool {
	if string(id) == n.id {
		return true
	}
	for _, m := range n.known() {
		if m.ID == string(id) {
			return m.Health == gossip.Alive && m.PeerAddr != string(addr)
		}
	}
	return false
}

// isAt reports whether a member answers at its own peer address. While nobody does it asks again: the connection to the node that was
// there before may have to end first.
func (n *Node) isAt(ctx context.Context, m gossip.Member) bool {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	for {
		if reply, err := n.askFounding(ctx, m.PeerAddr); err == nil {
			return reply.NodeID == m.ID
		}
		if !n.pause(ctx) {
			return false
		}
	}
}

// identifyTimeout bounds the question who is at an address.
const identifyTimeout = 2 * time.Second

// pilotDelegate is what raft-autopilot asks of us.
type pilotDelegate struct{ n *Node }

// AutopilotConfig implements autopilot.ApplicationIntegration. Dead servers are never removed: being silent is no reason.
func (d pilotDelegate) AutopilotConfig() *autopilot.Config {
	return &autopilot.Config{
		LastContactThreshold: d.n.conf.HeartbeatTimeout, MaxTrailingLogs: 250, MinQuorum: 3,
		ServerStabilizationTime: d.n.conf.StabilizationTime,
	}
}

// NotifyState implements autopilot.ApplicationIntegration.
func (d pilotDelegate) NotifyState(*autopilot.State) {}

// RemoveFailedServer implements autopilot.ApplicationIntegration. It is not called while dead servers are kept.
func (d pilotDelegate) RemoveFailedServer(s *autopilot.Server) {
	d.n.log.Error("autopilot asked to remove a server although that is turned off", "member", s.ID)
}

// KnownServers implements autopilot.ApplicationIntegration.
func (d pilotDelegate) KnownServers() map[raft.ServerID]*autopilot.Server {
	known := make(map[raft.ServerID]*autopilot.Server)
	_, leader := d.n.raft.LeaderWithID()
	for _, m := range d.n.known() {
		if m.Foreign || m.Unreadable {
			continue
		}
		id := raft.ServerID(m.ID)
		known[id] = &autopilot.Server{
			ID: id, Name: m.ID, Address: raft.ServerAddress(m.PeerAddr), NodeStatus: pilotStatus[m.Health], Version: m.Version,
			RaftVersion: int(raft.ProtocolVersionMax), IsLeader: id == leader, NodeType: autopilot.NodeVoter,
		}
	}
	return known
}

var pilotStatus = map[gossip.Health]autopilot.NodeStatus{
	gossip.Alive: autopilot.NodeAlive, gossip.Failed: autopilot.NodeFailed, gossip.Left: autopilot.NodeLeft,
}

// FetchServerStats implements autopilot.ApplicationIntegration.
func (d pilotDelegate) FetchServerStats(ctx context.Context, servers map[raft.ServerID]*autopilot.Server) map[raft.ServerID]*autopilot.ServerStats {
	addrs := make(map[string]string, len(servers))
	for id, s := range servers {
		addrs[string(id)] = string(s.Address)
	}
	stats := make(map[raft.ServerID]*autopilot.ServerStats)
	for id, s := range d.n.askStatus(ctx, addrs) {
		stats[raft.ServerID(id)] = &autopilot.ServerStats{
			LastContact: time.Duration(s.LastContactMillis) * time.Millisecond, LastTerm: s.LastTerm, LastIndex: s.LastIndex,
		}
	}
	return stats
}
