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
	// Limits are the quotas that an operator has set.
	Limits *quotasOut `json:"limits,omitempty"`
	Used   usageOut   `json:"used"`
}

// listWorkspaces is workspaces.listWorkspaces, docs/contract.md 7.2.
func listWorkspaces() *endpoint {
	return read("workspaces.listWorkspaces", about{
		summary: "List all workspaces, in the order of their ids",
		text: nextPage + " `limits` are the quotas, `used` is what the ledger stores for the workspace: also deleted things, until their records " +
			"are removed.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"limit":20}`,
	}, func(c *call, req listWorkspacesRequest) (page[workspaceOut], error) {
		return ask(c, &fsm.ListWorkspaces{Page: wantedPage(req.Limit, req.Cursor)}, func(found *fsm.Workspaces) page[workspaceOut] {
			return pageOf(found.List, found.Next, showWorkspace)
		})
	})
}

func showWorkspace(w *fsm.Workspace) workspaceOut {
	return workspaceOut{WorkspaceID: w.ID, Name: w.Name, CreatedAt: w.CreatedAt, Enabled: w.Enabled, Limits: showQuotas(&w.Quotas), Used: showUsage(&w.Used)}
}
