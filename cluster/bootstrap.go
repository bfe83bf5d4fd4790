package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
)

// foundAlone makes a node without gossip a cluster of one.
func (n *Node) foundAlone() error {
	has, err := n.conf.Store.HasState()
	if err != nil || has {
		return err
	}
	return n.writeFirstConfiguration([]gossip.Member{{ID: n.id, Meta: gossip.Meta{PeerAddr: n.conf.AdvertisePeer}}})
}

func (n *Node) writeFirstConfiguration(founders []gossip.Member) error {
	var c raft.Configuration
	for _, m := range founders {
		c.Servers = append(c.Servers, raft.Server{
			Suffrage: raft.Voter, ID: raft.ServerID(m.ID), Address: raft.ServerAddress(m.PeerAddr),
		})
	}
	if err := n.raft.BootstrapCluster(c).Error(); err != nil {
		return fmt.Errorf("write the first configuration: %w", err)
	}
	n.log.Info("founded a new cluster", "nodes", len(founders))
	return nil
}

// foundingReply is what a node tells another that would like to found a cluster.
type foundingReply struct {
	NodeID   string   `json:"nodeId"`
	HasState bool     `json:"hasState"` // raft has written here: a cluster exists
	Sees     []string `json:"sees"`     // ids of the founders that this node sees, sorted
}

func (n *Node) founding() foundingReply {
	has, err := n.conf.Store.HasState()
	founders, _ := n.founders()
	return foundingReply{NodeID: n.id, HasState: has || err != nil, Sees: idsOf(founders)}
}

// founders returns the live members with the same expectation, sorted by id, and whether any member belongs to a cluster already.
func (n *Node) founders() (founders []gossip.Member, exists bool) {
	for _, m := range n.known() {
		if m.Bootstrapped {
			exists = true
		}
		if m.Eligible() && m.Expect == n.conf.BootstrapExpect {
			founders = append(founders, m)
		}
	}
	slices.SortFunc(founders, func(a, b gossip.Member) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return founders, exists
}

func idsOf(members []gossip.Member) []string {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	return ids
}

// foundTogether waits until the expected number of nodes see exactly each other, and then lets the one with the smallest id write the
// first configuration; the others receive it from there. It ends for good as soon as any sign of an existing cluster is seen.
func (n *Node) foundTogether() {
	ticker := time.NewTicker(foundingInterval)
	defer ticker.Stop()
	for {
		if n.raft.LastIndex() > 0 {
			return
		}
		founders, exists := n.founders()
		if !exists && len(founders) == n.conf.BootstrapExpect && n.agreed(founders) {
			if founders[0].ID != n.id {
				n.log.Debug("another node founds the cluster", "founder", founders[0].ID)
			} else if err := n.writeFirstConfiguration(founders); err != nil {
				n.Fail(err)
				return
			} else {
				n.updateGossip()
				return
			}
		}
		if len(founders) > n.conf.BootstrapExpect {
			n.log.Warn("more nodes than expected want to found the cluster: stop the surplus, or start them without bootstrap-expect",
				"expected", n.conf.BootstrapExpect, "seen", idsOf(founders))
		}
		select {
		case <-ticker.C:
		case <-n.stopping:
			return
		}
	}
}

const foundingInterval = 200 * time.Millisecond

// agreed asks every founder whether it sees the same ones and knows of no cluster.
func (n *Node) agreed(founders []gossip.Member) bool {
	ids := idsOf(founders)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, m := range founders {
		if m.ID == n.id {
			continue
		}
		reply, err := n.askFounding(ctx, m.PeerAddr)
		if err != nil {
			n.log.Info("a founding node does not answer yet", "member", m.ID, "addr", m.PeerAddr, "err", err)
			return false
		}
		if reply.NodeID != m.ID || reply.HasState || !slices.Equal(reply.Sees, ids) {
			return false
		}
	}
	return true
}

// askFounding asks the node at an address who it is and what it knows.
func (n *Node) askFounding(ctx context.Context, addr string) (reply foundingReply, err error) {
	answer, err := n.pool.Get(addr).Call(ctx, methodFounding, nil)
	if err != nil {
		return reply, err
	}
	return reply, json.Unmarshal(answer, &reply)
}
