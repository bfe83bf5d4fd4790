package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type createRoleRequest struct {
	Name        roleName         `json:"name" schema:"required"`
	Description descriptionText  `json:"description"`
	Permissions []permissionSlug `json:"permissions" schema:"maxItems=1000"`
}

type createRoleData struct {
	RoleID string `json:"roleId"`
}

// createRole is permissions.createRole, docs/contract.md 2.5.
func createRole() *endpoint {
	return write("permissions.createRole", about{
		summary: "Create a role, which is a named list of permissions",
		text:    "Unknown permissions are created.",
		needs: []need{
			forAll(fsm.CreateRolePermission), forAll(fsm.AddPermissionToRolePermission).when("to give it permissions"),
			forAll(fsm.CreatePermissionPermission).when("to create permissions"),
		},
		example: `{"name":"reviewer","permissions":["` + exampleSlug + `","documents.comment"]}`,
		refuses: []fsm.RefusalCode{fsm.RoleExists},
	}, func(c *call, req createRoleRequest) (createRoleData, error) {
		return create(c, func() fsm.Command {
			return &fsm.CreateRole{
				ID: mint.ID(mint.Role), Name: string(req.Name), Description: string(req.Description), Permissions: permissionRefs(req.Permissions),
			}
		}, func(created *fsm.Created) createRoleData { return createRoleData{created.ID} })
	})
}
