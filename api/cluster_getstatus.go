package api

import "github.com/creditd/creditd/fsm"

type getStatusRequest struct{}

// getStatus is cluster.getStatus, docs/contract.md 7.2.
func getStatus() *endpoint {
	return read("cluster.getStatus", about{
		summary: "Show the nodes of the cluster, the leader, and the progress of each node",
		text:    "The call works without a leader.",
		needs:   []need{forAll(fsm.ReadClusterPermission)},
		example: `{}`,
	}, func(c *call, _ getStatusRequest) (Status, error) {
		if err := c.authorizeHere(fsm.ReadClusterPermission); err != nil {
			return Status{}, err
		}
		c.index = 0 // that of the authorization; a status reflects no one index
		status, err := c.api.node.Status(c.ctx)
		if status.Nodes == nil {
			status.Nodes = []NodeStatus{}
		}
		return status, err
	})
}

// authorizeHere is authorize for what an operator needs most when there is no leader to ask: a permission that this node knows of is
// enough. Only a no is asked about again, because this node may lag behind.
func (c *call) authorizeHere(p fsm.RootPermission) error {
	wanted := c.consistency
	c.consistency.stale = true
	err := c.authorize(p)
	if err != nil {
		c.consistency = wanted
		err = c.authorize(p)
	}
	return err
}
