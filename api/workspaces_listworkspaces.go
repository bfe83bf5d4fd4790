package api

import "github.com/creditd/creditd/fsm"

type listWorkspacesRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor"`
}

type workspaceOut struct {
	WorkspaceID string `json:"workspaceId"`
	Name        string `json:"name,omitempty"`
	CreatedAt   int64  `json:"createdAt"`
	Enabled     bool   `json:"enabled"`
}

// listWorkspaces serves workspaces.listWorkspaces, docs/contract.md 7.2.
func listWorkspaces(c *call, req listWorkspacesRequest) (any, error) {
	found, err := answer[*fsm.Workspaces](c, &fsm.ListWorkspaces{Page: pageOf(req.Limit, req.Cursor)})
	if err != nil {
		return nil, err
	}
	return showPage(found.List, found.Next, func(w *fsm.Workspace) workspaceOut {
		return workspaceOut{WorkspaceID: w.ID, Name: w.Name, CreatedAt: w.CreatedAt, Enabled: w.Enabled}
	}), nil
}
