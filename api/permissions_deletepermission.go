package api

import "github.com/creditd/creditd/fsm"

type deletePermissionRequest struct {
	Permission slug `json:"permission" schema:"required"` // id or slug
}

// deletePermission serves permissions.deletePermission, docs/contract.md 2.5.
func deletePermission(c *call, req deletePermissionRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.DeletePermission{Permission: string(req.Permission)})
	return none{}, err
}
