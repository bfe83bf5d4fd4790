package api

import "github.com/creditd/creditd/fsm"

type updateWorkspaceRequest struct {
	WorkspaceID string `json:"workspaceId" schema:"required,minLength=1,maxLength=255"`
	Enabled     bool   `json:"enabled" schema:"required"`
}

// updateWorkspace is workspaces.updateWorkspace, docs/contract.md 7.2.
func updateWorkspace() *endpoint {
	return write("workspaces.updateWorkspace", about{
		summary: "Disable a workspace, or enable it again",
		text:    "The root keys of a disabled workspace are refused, also for verifications. A workspace cannot disable itself.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"workspaceId":"` + exampleWorkspace + `","enabled":false}`,
		refuses: []fsm.RefusalCode{fsm.PreconditionFailed},
	}, func(c *call, req updateWorkspaceRequest) (none, error) {
		return change(c, &fsm.UpdateWorkspace{WorkspaceID: req.WorkspaceID, Enabled: req.Enabled}, done)
	})
}
