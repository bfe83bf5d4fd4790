package fsm

// ListRootKeys asks for the root keys of all workspaces. See contract 7.2.
type ListRootKeys struct{ Page Page }

func (q *ListRootKeys) answer(s *State, root *rootKey) Result {
	if !root.may(OperateClusterPermission, "") {
		return OperateClusterPermission.missing("")
	}
	list, next := page(&s.rootKeyList, q.Page, listing[*rootKey, RootKey]{show: (*rootKey).show})
	return &RootKeys{List: list, Next: next}
}

func (r *rootKey) show() RootKey {
	return RootKey{
		ID: r.id, Name: r.name, WorkspaceID: r.workspace.id, Permissions: r.sorted(),
		CreatedAt: r.createdAt, Expires: r.expires, Enabled: r.enabled,
	}
}
