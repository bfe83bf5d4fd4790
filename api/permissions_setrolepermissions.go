package api

import "github.com/creditd/creditd/fsm"

type setRolePermissionsRequest struct {
	RoleID      string           `json:"roleId" schema:"required,minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_-]+$"`
	Permissions []permissionSlug `json:"permissions" schema:"required,maxItems=1000"`
}

// setRolePermissions is permissions.setRolePermissions, docs/contract.md 2.5.
func setRolePermissions() *endpoint {
	return write("permissions.setRolePermissions", about{
		summary: "Replace the permissions of a role",
		text:    "Unknown permissions are created. The change holds for all keys with the role at once.",
		needs: []need{
			forAll(fsm.AddPermissionToRolePermission), forAll(fsm.RemovePermissionFromRolePermission),
			forAll(fsm.CreatePermissionPermission).when("to create permissions"),
		},
		example: `{"roleId":"` + exampleRoleID + `","permissions":["` + exampleSlug + `"]}`,
		refuses: []fsm.RefusalCode{fsm.RoleNotFound},
	}, func(c *call, req setRolePermissionsRequest) ([]permissionOut, error) {
		return create(c, func() fsm.Command {
			return &fsm.SetRolePermissions{RoleID: req.RoleID, Permissions: permissionRefs(req.Permissions)}
		}, showPermissions)
	})
}
