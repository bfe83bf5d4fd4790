package api

import "github.com/creditd/creditd/fsm"

type addKeyRolesRequest struct {
	KeyID keyID      `json:"keyId" schema:"required"`
	Roles []roleName `json:"roles" schema:"required,minItems=1,maxItems=100"`
}

// addKeyRoles serves keys.addRoles, docs/contract.md 2.3.
func addKeyRoles(c *call, req addKeyRolesRequest) (any, error) {
	return linkKeyRoles(c, req.KeyID, fsm.AddLinks, req.Roles)
}
