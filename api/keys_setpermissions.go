package api

import "github.com/creditd/creditd/fsm"

type setKeyPermissionsRequest struct {
	KeyID       keyID  `json:"keyId" schema:"required"`
	Permissions []slug `json:"permissions" schema:"required,maxItems=1000"`
}

// setKeyPermissions serves keys.setPermissions, docs/contract.md 2.3.
func setKeyPermissions(c *call, req setKeyPermissionsRequest) (any, error) {
	return linkKeyPermissions(c, req.KeyID, fsm.SetLinks, req.Permissions)
}
