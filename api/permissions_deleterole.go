package api

import "github.com/creditd/creditd/fsm"

type deleteRoleRequest struct {
	Role roleName `json:"role" schema:"required"` // id or name
}

// deleteRole is permissions.deleteRole, docs/contract.md 2.5.
func deleteRole() *endpoint {
	return write("permissions.deleteRole", about{
		summary:   "Delete a role, by its id or its name",
		text:      "All keys lose the role at once.",
		needs:     []need{forAll(fsm.DeleteRolePermission)},
		needsNote: checkedFirst,
		example:   `{"role":"` + exampleRole + `"}`,
		refuses:   []fsm.RefusalCode{fsm.RoleNotFound},
	}, func(c *call, req deleteRoleRequest) (none, error) {
		return change(c, &fsm.DeleteRole{Role: string(req.Role)}, done)
	})
}
