package fsm

// ListPermissions asks for permissions in the order of their ids. See contract 1.14.
type ListPermissions struct {
	Search string // empty: all
	Cursor string // lower bound of ids
	Limit  int    // at least 1
}

func (q *ListPermissions) answer(s *State, root *rootKey) Result {
	if !root.may(ReadPermissionPermission, "") {
		return ReadPermissionPermission.missing("")
	}
	wanted := newSought(q.Search)
	list, next := search(&root.workspace.slugs, Page{Limit: q.Limit, Cursor: q.Cursor}, func(p *slug) bool {
		return wanted.in(p.id, p.name, p.text, p.description)
	}, (*slug).show)
	return &PermissionList{Permissions: list, Next: next}
}
