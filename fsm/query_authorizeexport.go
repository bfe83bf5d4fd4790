package fsm

// AuthorizeExport asks what the caller may export: its own workspace, another one, or all. See contract 7.5.
type AuthorizeExport struct {
	WorkspaceID string // empty: the caller's
	All         bool
}

func (q *AuthorizeExport) answer(s *State, root *rootKey) Result {
	needs := []RootPermission{ExportPermission}
	if q.All || q.WorkspaceID != "" && q.WorkspaceID != root.workspace.id {
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
	return &ExportScope{WorkspaceID: w.id}
}
