package api

type transferLeadershipRequest struct {
	NodeID string `json:"nodeId" schema:"minLength=1,maxLength=255"` // absent: the leader chooses
}

// transferLeadership serves cluster.transferLeadership, docs/contract.md 7.2.
func transferLeadership(c *call, req transferLeadershipRequest) (any, error) {
	if err := c.authorize("cluster.*.operate"); err != nil {
		return nil, err
	}
	c.index = 0 // that of the authorization
	c.began = true
	return none{}, c.api.node.TransferLeadership(c.ctx, req.NodeID)
}
