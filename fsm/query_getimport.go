package fsm

// GetImport asks what the ledger knows of an import into the caller's workspace, or another one. See contract 7.5.
type GetImport struct{ WorkspaceID string } // empty: the caller's

func (q *GetImport) answer(s *State, root *rootKey) Result {
	needs := []RootPermission{ImportPermission}
	if q.WorkspaceID != "" && q.WorkspaceID != root.workspace.id {
		needs = append(needs, OperateClusterPermission)
	}
	if refusal := root.requires(needs...); refusal != nil {
		return refusal
	}
	w := root.workspace
	if q.WorkspaceID != "" {
		if w = s.workspaces[q.WorkspaceID]; w == nil {
			return refuse(WorkspaceNotFound)
		}
	}
	return &ImportState{ClusterID: s.clusterID, WorkspaceID: w.id, Followed: w.marked}
}
