package api

type getStatusRequest struct{}

// getStatus serves cluster.getStatus, docs/contract.md 7.2. An operator needs it most when there is no leader to ask, so a
// permission that this node knows of is enough; only a no is asked about again, since this node may lag behind.
func getStatus(c *call, _ getStatusRequest) (any, error) {
	const permission = "cluster.*.read"
	wanted := c.fresh
	c.fresh.stale = true
	if err := c.authorize(permission); err != nil {
		c.fresh = wanted
		if err := c.authorize(permission); err != nil {
			return nil, err
		}
	}
	c.index = 0 // that of the authorization; a status reflects no one index
	status, err := c.api.node.Status(c.ctx)
	if err != nil {
		return nil, err
	}
	if status.Nodes == nil {
		status.Nodes = []NodeStatus{}
	}
	return status, nil
}
