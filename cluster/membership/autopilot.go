package membership

import (
	"context"
	"time"

	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/creditd/creditd/cluster/gossip"
)

// autopilotDelegate is what raft-autopilot asks of us. It only judges how healthy the servers are; promote.go decides what follows.
type autopilotDelegate struct{ r *Reconciler }

// AutopilotConfig implements autopilot.ApplicationIntegration. Dead servers are never removed: being silent is no reason.
func (d autopilotDelegate) AutopilotConfig() *autopilot.Config {
	return &autopilot.Config{
		LastContactThreshold: d.r.ContactThreshold, MaxTrailingLogs: 250, MinQuorum: 3,
		ServerStabilizationTime: d.r.StabilizationTime,
	}
}

// NotifyState implements autopilot.ApplicationIntegration.
func (d autopilotDelegate) NotifyState(s *autopilot.State) {
	d.r.health.Store(s)
	select {
	case d.r.judged <- struct{}{}:
	default:
	}
}

// RemoveFailedServer implements autopilot.ApplicationIntegration. It is not called while dead servers are kept.
func (d autopilotDelegate) RemoveFailedServer(s *autopilot.Server) {
	d.r.Logger.Error("autopilot asked to remove a server although that is turned off", "member", s.ID)
}

// KnownServers implements autopilot.ApplicationIntegration.
func (d autopilotDelegate) KnownServers() map[raft.ServerID]*autopilot.Server {
	known := make(map[raft.ServerID]*autopilot.Server)
	_, leader := d.r.Raft.LeaderWithID()
	for _, m := range d.r.Directory.Members() {
		if m.Foreign || m.Unreadable || !d.r.Directory.Has(m.ID) {
			continue // a member that is no server is not worth asking
		}
		id := raft.ServerID(m.ID)
		known[id] = &autopilot.Server{
			ID: id, Name: m.ID, Address: raft.ServerAddress(m.PeerAddr), NodeStatus: autopilotStatus[m.Health], Version: m.Version,
			RaftVersion: int(raft.ProtocolVersionMax), IsLeader: id == leader, NodeType: autopilot.NodeVoter,
		}
	}
	return known
}

var autopilotStatus = map[gossip.Health]autopilot.NodeStatus{
	gossip.Alive: autopilot.NodeAlive, gossip.Failed: autopilot.NodeFailed, gossip.Left: autopilot.NodeLeft,
}

// FetchServerStats implements autopilot.ApplicationIntegration.
func (d autopilotDelegate) FetchServerStats(ctx context.Context, servers map[raft.ServerID]*autopilot.Server) map[raft.ServerID]*autopilot.ServerStats {
	addrs := make(map[string]string, len(servers))
	for id, s := range servers {
		addrs[string(id)] = string(s.Address)
	}
	stats := make(map[raft.ServerID]*autopilot.ServerStats)
	reports := d.r.Reporter.Ask(ctx, addrs)
	d.r.answeredMu.Lock()
	defer d.r.answeredMu.Unlock()
	for id, r := range reports {
		d.r.answered[id] = true
		stats[raft.ServerID(id)] = &autopilot.ServerStats{
			LastContact: time.Duration(r.LastContactMillis) * time.Millisecond, LastTerm: r.LastTerm, LastIndex: r.LastIndex,
		}
	}
	return stats
}
