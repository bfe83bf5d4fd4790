package fsm

// GetImport asks what the ledger knows of an import into the caller's workspace, or another one. See contract 7.5.
type GetImport struct{ WorkspaceID string } // empty: the caller's

func (q *GetImport) answer(s *State, root *rootKey) Result {
	w, refusal := s.workspaceFor(root, ImportPermission, q.WorkspaceID, false)
	if refusal != nil {
		return refusal
	}
	return &ImportState{ClusterID: s.clusterID, WorkspaceID: w.id, Followed: w.marked}
}
