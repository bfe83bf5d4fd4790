package api

import "github.com/creditd/creditd/fsm"

type getRoleRequest struct {
	Role roleName `json:"role" schema:"required"` // id or name
}

// getRole serves permissions.getRole, docs/contract.md 2.5.
func getRole(c *call, req getRoleRequest) (any, error) {
	found, err := answer[*fsm.Role](c, &fsm.GetRole{Role: string(req.Role)})
	if err != nil {
		return nil, err
	}
	return showRole(*found), nil
}
