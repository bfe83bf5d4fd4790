package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateWorkspaceRequest struct {
	WorkspaceID string                `json:"workspaceId" schema:"required,minLength=1,maxLength=255"`
	Enabled     schema.Optional[bool] `json:"enabled"`
	Limits      *quotaChanges         `json:"limits"`
}

// updateWorkspace is workspaces.updateWorkspace, docs/contract.md 7.2.
func updateWorkspace() *endpoint {
	return write("workspaces.updateWorkspace", about{
		summary: "Disable a workspace, enable it again, or set its quotas",
		text: "Give `enabled`, `limits` or both. The root keys of a disabled workspace are refused, also for verifications. A workspace cannot " +
			"disable itself. `limits` sets how many keys and other things the workspace may have; an absent limit stays as it is, and `null` " +
			"removes it. A limit may be below what the workspace has: then nothing more is added.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"workspaceId":"` + exampleWorkspace + `","enabled":false,"limits":{"keys":10000,"requestsPerSecond":null}}`,
		refuses: []fsm.RefusalCode{fsm.PreconditionFailed, fsm.LedgerVersionTooLow},
	}, func(c *call, req updateWorkspaceRequest) (none, error) {
		command := &fsm.UpdateWorkspace{
			WorkspaceID: req.WorkspaceID, Enabled: req.Enabled.Value, KeepEnabled: !req.Enabled.Set(), Quotas: req.Limits.changes(),
		}
		if command.KeepEnabled && command.Quotas == (fsm.QuotaChanges{}) {
			if err := c.authorize(fsm.OperateClusterPermission); err != nil {
				return none{}, err
			}
			return none{}, invalid("A change of a workspace needs 'enabled', a limit, or both")
		}
		return change(c, command, done)
	})
}
