package cluster

import (
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/logcache"
	"github.com/creditd/creditd/cluster/peer"
)

func (n *Node) openPeerPort() error {
	mux, err := peer.NewMux(peer.MuxConfig{
		Listener: n.conf.PeerListener, NodeID: n.id, Advertise: n.conf.AdvertisePeer, TLS: n.conf.ServerTLS,
		Dialer: n.dialer(), Calls: peer.ConnLimits{Member: n.directory.Has}, Logger: n.steady,
	})
	if err != nil {
		return fmt.Errorf("open the peer port: %w", err)
	}
	n.mux = mux
	n.pool = peer.NewPool(peer.ClientConfig{Dialer: n.dialer()})
	return nil
}

func (n *Node) dialer() peer.Dialer {
	return peer.Dialer{Dial: n.conf.Dial, TLS: n.conf.ClientTLS, NodeID: n.id}
}

func (n *Node) startRaft() error {
	n.link = peer.NewTransport(n.mux.RaftLayer(), n.directory, n.conf.HeartbeatTimeout*10, n.conf.ElectionTimeout, raftLogger(n.steady))
	s := n.conf.Store
	r, err := raft.NewRaft(n.raftConfig(), n.replica, timedLog{logcache.New(s.Log(), logCacheLimits), n.stages}, s.Stable(), n.replica.Snapshots(s.Snapshots()), n.link)
	if err != nil {
		select {
		case err = <-n.failed: // the ledger knows why the snapshot does not load, and raft does not pass it on
		default:
		}
		return fmt.Errorf("start raft on %s: %w", n.conf.AdvertisePeer, err)
	}
	n.raft = r
	return nil
}

func (n *Node) raftConfig() *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.id)
	c.HeartbeatTimeout = n.conf.HeartbeatTimeout
	c.ElectionTimeout = n.conf.ElectionTimeout
	c.LeaderLeaseTimeout = n.conf.LeaseTimeout
	c.CommitTimeout = n.conf.CommitTimeout
	c.SnapshotThreshold = n.conf.SnapshotThreshold
	c.SnapshotInterval = n.conf.SnapshotInterval
	c.TrailingLogs = n.conf.TrailingLogs
	c.NotifyCh = n.notify
	c.Logger = raftLogger(n.steady)
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	return c
}

// logCacheLimits is how many recent entries are kept in memory for followers.
var logCacheLimits = logcache.Limits{Entries: 512, Bytes: 16 << 20}

// standForElection makes this node a candidate. The message is that of a leader that transfers leadership. raft has no other way to start
// an election at once.
func (n *Node) standForElection() error {
	self := raft.ServerAddress(n.conf.AdvertisePeer)
	order := raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{
		ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.id), Addr: []byte(self),
	}}
	return n.link.TimeoutNow(raft.ServerID(n.id), self, &order, &raft.TimeoutNowResponse{})
}
