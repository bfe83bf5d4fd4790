package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

type getStatusRequest struct{}

// getStatus is cluster.getStatus, docs/contract.md 7.2.
func getStatus() *endpoint {
	return read("cluster.getStatus", about{
		summary: "Show the nodes of the cluster, the leader, and the progress of each node",
		text: "The call works without a leader: it shows what the asked node knows, marked `stale`. While no node can check the root key, the " +
			"answer is `reduced`: it has no addresses.",
		needs:   []need{forAll(fsm.ReadClusterPermission)},
		example: `{}`,
	}, func(c *call, _ getStatusRequest) (Status, error) {
		reduced, err := c.authorizeStatus()
		if err != nil {
			return Status{}, err
		}
		c.index = 0 // that of the authorization; a status reflects no one index
		status, err := c.api.node.Status(c.ctx)
		if status.Nodes == nil {
			status.Nodes = []NodeStatus{}
		}
		if reduced && (status.hasLedger() || !c.isOperator()) {
			status.reduce()
		}
		return status, err
	})
}

// statusPatience is how long the other nodes are asked about a root key that this node does not know.
const statusPatience = 2 * time.Second

// authorizeStatus is authorize for what an operator needs most when there is no leader to ask. A permission that this node knows of is
// enough. Only a no is asked about again, because this node may lag behind. If nobody can be asked and this node does not know the root
// key, the answer is reduced. What consistency the caller wants does not matter.
func (c *call) authorizeStatus() (reduced bool, err error) {
	ctx := c.ctx
	c.consistency = consistency{stale: true}
	here := c.authorize(fsm.ReadClusterPermission)
	if here == nil {
		return false, nil
	}
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithTimeout(ctx, statusPatience)
	defer cancel()
	c.consistency = consistency{}
	everywhere := c.authorize(fsm.ReadClusterPermission)
	c.ctx = ctx
	var unanswered *fault.Error
	if everywhere == nil || ctx.Err() != nil || !errors.As(everywhere, &unanswered) {
		return false, everywhere
	}
	if no, ok := here.(*refused); ok && no.Code != fsm.RootKeyNotFound {
		return false, here
	}
	return true, nil
}

// isOperator reports whether the caller has the root key that this node was started with. It counts only while the node has applied nothing: a
// ledger that does not know the key may have revoked it.
func (c *call) isOperator() bool {
	return c.api.operatorKey != fsm.Hash{} && c.actor == c.api.operatorKey
}

// hasLedger reports whether the node that answers has applied anything. A node that was just restarted has not, until a leader is found.
func (s *Status) hasLedger() bool {
	return slices.ContainsFunc(s.Nodes, func(n NodeStatus) bool { return n.NodeID == s.NodeID && n.AppliedIndex > 0 })
}

// reduce drops what only the holder of a root key may know.
func (s *Status) reduce() {
	s.Reduced = true
	for i := range s.Nodes {
		n := &s.Nodes[i]
		n.HTTPAddr, n.PeerAddr, n.GossipAddr, n.RemovedBy, n.Name = "", "", "", "", "" // a host name says as much as an address
		if n.Backup != nil {
			n.Backup = &BackupStatus{LastAt: n.Backup.LastAt} // a failure names files
		}
	}
}
