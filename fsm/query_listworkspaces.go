package fsm

// ListWorkspaces asks for all workspaces. See contract 7.2.
type ListWorkspaces struct{ Page Page }

func (q *ListWorkspaces) answer(s *State, root *rootKey) Result {
	if !root.may(OperateClusterPermission, "") {
		return OperateClusterPermission.missing("")
	}
	list, next := page(&s.workspaceList, q.Page, listing[*workspace, Workspace]{show: func(w *workspace) Workspace {
		return Workspace{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: w.enabled}
	}})
	return &Workspaces{List: list, Next: next}
}
