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
	list, next := search(&root.workspace.roles, Page{Limit: q.Limit, Cursor: q.Cursor}, func(r *role) bool {
		return wanted.in(r.id, r.name, r.description)
	}, (*role).show)
	return &RoleList{Roles: list, Next: next}
}
