package api

import "github.com/creditd/creditd/fsm"

type transferLeadershipRequest struct {
	NodeID string `json:"nodeId" schema:"minLength=1,maxLength=255"` // absent: the leader chooses
}

// transferLeadership is cluster.transferLeadership, docs/contract.md 7.2.
func transferLeadership() *endpoint {
	return write("cluster.transferLeadership", about{
		summary:       "Transfer leadership to another node",
		text:          "Without `nodeId` the leader chooses the node.",
		needs:         []need{forAll(fsm.OperateClusterPermission)},
		example:       `{}`,
		outsideLedger: true,
	}, func(c *call, req transferLeadershipRequest) (none, error) {
		if err := c.authorize(fsm.OperateClusterPermission); err != nil {
			return none{}, err
		}
		c.index, c.proposed = 0, true // the index is that of the authorization
		return none{}, c.api.node.TransferLeadership(c.ctx, req.NodeID)
	})
}
