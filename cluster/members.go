package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/creditd/creditd/cluster/gossip"
)

// startGossip finds the other nodes and begins or joins a cluster with them.
func (n *Node) startGossip() error {
	g, err := gossip.New(gossip.Config{
		NodeID: n.id, BindAddr: n.conf.GossipAddr, AdvertiseAddr: n.conf.AdvertiseGossip, Label: "creditd",
		SecretKey: n.conf.GossipKey, Insecure: n.conf.InsecureGossip, Profile: profileFor(n.conf.GossipAddr),
		Meta: n.gossipMeta(), Logger: n.log,
	})
	if err != nil {
		return fmt.Errorf("start gossip on %s: %w", n.conf.GossipAddr, err)
	}
	n.gossip.Store(g)
	n.refreshMembers()
	n.run(n.watchGossip)
	if len(n.conf.Join) > 0 {
		if _, err := g.Join(n.conf.Join); err != nil {
			n.log.Warn("no other node answers yet; trying again in the background", "join", n.conf.Join, "err", err)
		}
		n.refreshMembers()
	}
	if err := n.refuseForeign(); err != nil {
		return err
	}
	if n.conf.BootstrapExpect > 0 && n.raft.LastIndex() == 0 {
		n.run(n.foundTogether)
	}
	return nil
}

// profileFor picks gossip's timings: a cluster on one machine can afford fast ones.
func profileFor(addr string) gossip.Profile {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return gossip.LAN
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return gossip.Loopback
	}
	return gossip.LAN
}

func (n *Node) gossipMeta() gossip.Meta {
	return gossip.Meta{
		ClusterID: n.conf.Store.ClusterID(), PeerAddr: n.conf.AdvertisePeer, HTTPAddr: n.conf.AdvertiseHTTP,
		Expect: n.conf.BootstrapExpect, Version: n.conf.Version, MinLedger: 1, MaxLedger: 1,
		Bootstrapped: n.raft.LastIndex() > 0,
	}
}

// updateGossip tells the others what changed about this node.
func (n *Node) updateGossip() {
	g := n.gossip.Load()
	if g == nil {
		return
	}
	if err := g.Update(n.gossipMeta()); err != nil && !errors.Is(err, gossip.ErrClosed) {
		n.log.Warn("gossip does not take this node's new description", "err", err)
	}
}

// watchGossip keeps the list of members current and wakes the reconcile loop.
func (n *Node) watchGossip() {
	events := n.gossip.Load().Events()
	for {
		select {
		case <-events:
			n.refreshMembers()
			select {
			case n.gossipChanged <- struct{}{}:
			default:
			}
		case <-n.stopping:
			return
		}
	}
}

func (n *Node) refreshMembers() {
	members := n.gossip.Load().Members()
	n.members.Store(&members)
}

// known returns what gossip last said, this node included; nothing on a node without gossip.
func (n *Node) known() []gossip.Member {
	if m := n.members.Load(); m != nil {
		return *m
	}
	return nil
}

// refuseForeign stops a node that was pointed at another cluster than the one its data directory belongs to.
func (n *Node) refuseForeign() error {
	own := n.conf.Store.ClusterID()
	if own == "" {
		return nil
	}
	var foreign *gossip.Member
	for _, m := range n.known() {
		switch {
		case m.Self:
		case m.ClusterID == own:
			return nil
		case m.Foreign:
			foreign = &m
		}
	}
	if foreign == nil {
		return nil
	}
	return fmt.Errorf("the data directory belongs to cluster %s, but the node at %s belongs to cluster %s: "+
		"join the right cluster, or use another data directory", own, foreign.GossipAddr, foreign.ClusterID)
}
