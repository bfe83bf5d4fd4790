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
	wanted := newSearchText(q.Search)
	list, next := page(&root.workspace.permissions, Page{Limit: q.Limit, Cursor: q.Cursor}, listing[*permission, Permission]{
		wanted: func(p *permission) (bool, int) { return wanted.in(p.id, p.name, p.slug, p.description) },
		show:   (*permission).show,
	})
	return &PermissionList{Permissions: list, Next: next}
}
