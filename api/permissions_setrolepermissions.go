package api

import "github.com/creditd/creditd/fsm"

type setRolePermissionsRequest struct {
	RoleID      string `json:"roleId" schema:"required,minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_-]+$"`
	Permissions []slug `json:"permissions" schema:"required,maxItems=1000"`
}

// setRolePermissions serves permissions.setRolePermissions, docs/contract.md 2.5.
func setRolePermissions(c *call, req setRolePermissionsRequest) (any, error) {
	after, err := executeNew[*fsm.PermissionList](c, func() fsm.Command {
		return &fsm.SetRolePermissions{RoleID: req.RoleID, Permissions: slugRefs(req.Permissions)}
	})
	if err != nil {
		return nil, err
	}
	return showPermissions(after.Permissions), nil
}
