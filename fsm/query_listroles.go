package fsm

// ListRoles asks for roles in the order of their ids. See contract 1.14.
type ListRoles struct {
	Search string // empty: all
	Cursor string // lower bound of ids
	Limit  int    // at least 1
}

func (q *ListRoles) answer(s *State, root *rootKey) Result {
	if !root.may(ReadRolePermission, "") {
		return ReadRolePermission.missing("")
	}
	wanted := newSearchText(q.Search)
	list, next := page(&root.workspace.roles, Page{Limit: q.Limit, Cursor: q.Cursor}, listing[*role, Role]{
		wanted: func(r *role) (bool, int) { return wanted.in(r.id, r.name, r.description) },
		cost:   func(r *role) int { return gatheredLink * len(r.permissions) },
		show:   (*role).show,
	})
	return &RoleList{Roles: list, Next: next}
}
