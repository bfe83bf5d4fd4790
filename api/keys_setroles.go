package api

import "github.com/creditd/creditd/fsm"

type setKeyRolesRequest struct {
	KeyID keyID      `json:"keyId" schema:"required"`
	Roles []roleName `json:"roles" schema:"required,maxItems=100"`
}

// setKeyRoles serves keys.setRoles, docs/contract.md 2.3.
func setKeyRoles(c *call, req setKeyRolesRequest) (any, error) {
	return linkKeyRoles(c, req.KeyID, fsm.SetLinks, req.Roles)
}
