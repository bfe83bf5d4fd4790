package api

import "github.com/creditd/creditd/fsm"

type updateWorkspaceRequest struct {
	WorkspaceID string `json:"workspaceId" schema:"required,minLength=1,maxLength=255"`
	Enabled     bool   `json:"enabled" schema:"required"`
}

// updateWorkspace serves workspaces.updateWorkspace, docs/contract.md 7.2.
func updateWorkspace(c *call, req updateWorkspaceRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.UpdateWorkspace{WorkspaceID: req.WorkspaceID, Enabled: req.Enabled})
	return none{}, err
}
