package api

import "github.com/creditd/creditd/fsm"

type removeKeyRolesRequest struct {
	KeyID keyID      `json:"keyId" schema:"required"`
	Roles []roleName `json:"roles" schema:"required,minItems=1,maxItems=100"`
}

// removeKeyRoles serves keys.removeRoles, docs/contract.md 2.3.
func removeKeyRoles(c *call, req removeKeyRolesRequest) (any, error) {
	return linkKeyRoles(c, req.KeyID, fsm.RemoveLinks, req.Roles)
}
