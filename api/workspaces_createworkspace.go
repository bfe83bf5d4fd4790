package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type createWorkspaceRequest struct {
	Name string `json:"name" schema:"required,minLength=1,maxLength=255"`
}

type createWorkspaceData struct {
	WorkspaceID string `json:"workspaceId"`
}

// createWorkspace serves workspaces.createWorkspace, docs/contract.md 7.2.
func createWorkspace(c *call, req createWorkspaceRequest) (any, error) {
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		return &fsm.CreateWorkspace{ID: mint.ID(mint.Workspace), Name: req.Name}
	})
	if err != nil {
		return nil, err
	}
	return createWorkspaceData{created.ID}, nil
}
