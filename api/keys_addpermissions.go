package api

import "github.com/creditd/creditd/fsm"

type addKeyPermissionsRequest struct {
	KeyID       keyID  `json:"keyId" schema:"required"`
	Permissions []slug `json:"permissions" schema:"required,minItems=1,maxItems=1000"`
}

// addKeyPermissions serves keys.addPermissions, docs/contract.md 2.3.
func addKeyPermissions(c *call, req addKeyPermissionsRequest) (any, error) {
	return linkKeyPermissions(c, req.KeyID, fsm.AddLinks, req.Permissions)
}
