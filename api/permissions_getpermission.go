package api

import "github.com/creditd/creditd/fsm"

type getPermissionRequest struct {
	Permission slug `json:"permission" schema:"required"` // id or slug
}

// getPermission serves permissions.getPermission, docs/contract.md 2.5.
func getPermission(c *call, req getPermissionRequest) (any, error) {
	found, err := answer[*fsm.Permission](c, &fsm.GetPermission{Permission: string(req.Permission)})
	if err != nil {
		return nil, err
	}
	return permissionOut(*found), nil
}
