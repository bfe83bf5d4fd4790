package api

type removeServerRequest struct {
	NodeID string `json:"nodeId" schema:"required,minLength=1,maxLength=255"`
}

// removeServer serves cluster.removeServer, docs/contract.md 7.2.
func removeServer(c *call, req removeServerRequest) (any, error) {
	if err := c.authorize("cluster.*.operate"); err != nil {
		return nil, err
	}
	c.index = 0 // that of the authorization
	c.began = true
	return none{}, c.api.node.RemoveServer(c.ctx, req.NodeID)
}
