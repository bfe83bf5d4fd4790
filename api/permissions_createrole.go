package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type createRoleRequest struct {
	Name        roleName `json:"name" schema:"required"`
	Description prose    `json:"description"`
	Permissions []slug   `json:"permissions" schema:"maxItems=1000"`
}

type createRoleData struct {
	RoleID string `json:"roleId"`
}

// createRole serves permissions.createRole, docs/contract.md 2.5.
func createRole(c *call, req createRoleRequest) (any, error) {
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		return &fsm.CreateRole{
			ID: mint.ID(mint.Role), Name: string(req.Name), Description: string(req.Description), Permissions: slugRefs(req.Permissions),
		}
	})
	if err != nil {
		return nil, err
	}
	return createRoleData{created.ID}, nil
}
