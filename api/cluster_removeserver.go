package api

import (
	"fmt"
	"net"

	"github.com/creditd/creditd/fsm"
)

type removeServerRequest struct {
	NodeID string `json:"nodeId" schema:"required,minLength=1,maxLength=255"`
}

// removeServer is cluster.removeServer, docs/contract.md 7.2.
func removeServer() *endpoint {
	return write("cluster.removeServer", about{
		summary: "Remove a node from the cluster permanently",
		text: "If the node is up, it stops; its data directory says who removed it and when. A leader transfers leadership first. The call is a " +
			"400 for a node outside the cluster, for the last voter, and when the remaining voters that are up would have no quorum. The detail " +
			"says which.",
		needs:         []need{forAll(fsm.OperateClusterPermission)},
		example:       `{"nodeId":"` + exampleNode + `"}`,
		outsideLedger: true,
	}, func(c *call, req removeServerRequest) (none, error) {
		caller, err := answer[*fsm.RootKeys](c, &fsm.GetRootKey{Permission: string(fsm.OperateClusterPermission)})
		if err != nil {
			return none{}, err
		}
		c.index, c.proposed = 0, true // the index is that of the authorization
		return none{}, c.api.node.RemoveServer(c.ctx, req.NodeID, c.nameOf(caller.List[0]))
	})
}

// nameOf says who makes this call, for other operators.
func (c *call) nameOf(caller fsm.RootKey) string {
	host, _, err := net.SplitHostPort(c.gin.Request.RemoteAddr)
	if err != nil {
		host = c.gin.Request.RemoteAddr
	}
	return fmt.Sprintf("root key %s (%s) from %s", caller.ID, caller.Name, host)
}
