package api

import "github.com/creditd/creditd/fsm"

type removeKeyPermissionsRequest struct {
	KeyID       keyID  `json:"keyId" schema:"required"`
	Permissions []slug `json:"permissions" schema:"required,minItems=1,maxItems=1000"`
}

// removeKeyPermissions serves keys.removePermissions, docs/contract.md 2.3.
func removeKeyPermissions(c *call, req removeKeyPermissionsRequest) (any, error) {
	return linkKeyPermissions(c, req.KeyID, fsm.RemoveLinks, req.Permissions)
}
