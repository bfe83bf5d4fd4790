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

// createWorkspace is workspaces.createWorkspace, docs/contract.md 7.2.
func createWorkspace() *endpoint {
	return write("workspaces.createWorkspace", about{
		summary: "Create a workspace",
		text:    "The root keys of other workspaces can neither see nor change anything in it.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"name":"staging"}`,
	}, func(c *call, req createWorkspaceRequest) (createWorkspaceData, error) {
		return create(c, func() fsm.Command {
			return &fsm.CreateWorkspace{ID: mint.ID(mint.Workspace), Name: req.Name}
		}, func(created *fsm.Created) createWorkspaceData { return createWorkspaceData{created.ID} })
	})
}
