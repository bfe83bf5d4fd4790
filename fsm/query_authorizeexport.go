package fsm

// AuthorizeExport asks what the caller may export: its own workspace, another one, or all. See contract 7.5.
type AuthorizeExport struct {
	WorkspaceID string // empty: the caller's
	All         bool
}

func (q *AuthorizeExport) answer(s *State, root *rootKey) Result {
	w, refusal := s.workspaceFor(root, ExportPermission, q.WorkspaceID, q.All)
	if refusal != nil {
		return refusal
	}
	return &ExportScope{WorkspaceID: w.id}
}

// workspaceFor returns the workspace with an id; empty: the caller's. The caller needs permission p, and for another workspace, or for all, also the
// one to operate the cluster.
func (s *State) workspaceFor(root *rootKey, p RootPermission, id string, all bool) (*workspace, *Refusal) {
	needs := []RootPermission{p}
	if all || id != "" && id != root.workspace.id {
		needs = append(needs, OperateClusterPermission)
	}
	if refusal := root.requires(needs...); refusal != nil {
		return nil, refusal
	}
	if id == "" {
		return root.workspace, nil
	}
	w := s.workspaces[id]
	if w == nil {
		return nil, refuse(WorkspaceNotFound)
	}
	return w, nil
}
