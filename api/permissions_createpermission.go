package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type createPermissionRequest struct {
	Name        string `json:"name" schema:"required,minLength=1,maxLength=512"`
	Slug        slug   `json:"slug" schema:"required"`
	Description prose  `json:"description"`
}

type createPermissionData struct {
	PermissionID string `json:"permissionId"`
}

// createPermission serves permissions.createPermission, docs/contract.md 2.5.
func createPermission(c *call, req createPermissionRequest) (any, error) {
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		return &fsm.CreatePermission{
			ID: mint.ID(mint.Permission), Name: req.Name, Slug: string(req.Slug), Description: string(req.Description),
		}
	})
	if err != nil {
		return nil, err
	}
	return createPermissionData{created.ID}, nil
}
