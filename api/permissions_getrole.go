package api

import "github.com/creditd/creditd/fsm"

type getRoleRequest struct {
	Role roleName `json:"role" schema:"required"` // id or name
}

// getRole is permissions.getRole, docs/contract.md 2.5.
func getRole() *endpoint {
	return read("permissions.getRole", about{
		summary:   "Show a role, by its id or its name",
		needs:     []need{forAll(fsm.ReadRolePermission)},
		needsNote: checkedFirst,
		example:   `{"role":"` + exampleRole + `"}`,
		refuses:   []fsm.RefusalCode{fsm.RoleNotFound},
	}, func(c *call, req getRoleRequest) (roleOut, error) {
		return ask(c, &fsm.GetRole{Role: string(req.Role)}, showRole)
	})
}
