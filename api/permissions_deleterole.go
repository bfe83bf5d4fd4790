package api

import "github.com/creditd/creditd/fsm"

type deleteRoleRequest struct {
	Role roleName `json:"role" schema:"required"` // id or name
}

// deleteRole serves permissions.deleteRole, docs/contract.md 2.5.
func deleteRole(c *call, req deleteRoleRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.DeleteRole{Role: string(req.Role)})
	return none{}, err
}
