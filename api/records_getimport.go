package api

import (
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

type getImportRequest struct {
	WorkspaceID string `json:"workspaceId" schema:"minLength=1,maxLength=255" doc:"Default: the workspace of the root key. Another one needs cluster.*.operate."`
}

// getImport is records.getImport, docs/contract.md 7.5.
func getImport() *endpoint {
	return read("records.getImport", about{
		summary: "Show where an import goes, and how much of it is followed",
		text: "`followed` counts the keys, identities and APIs that were imported with `trackBalances`, up to records.finishImport. `clusterId` and " +
			"`workspaceId` tell whether this is the place of an earlier import. A cluster that was recovered has another `clusterId`.",
		needs:     []need{forAll(fsm.ImportPermission)},
		needsNote: "Another workspace also needs `cluster.*.operate`.",
		example:   `{}`,
	}, func(c *call, req getImportRequest) (records.ImportState, error) {
		return ask(c, &fsm.GetImport{WorkspaceID: req.WorkspaceID}, func(r *fsm.ImportState) records.ImportState {
			return records.ImportState{ClusterID: r.ClusterID, WorkspaceID: r.WorkspaceID, Followed: r.Followed}
		})
	})
}
