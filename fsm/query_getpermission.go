package fsm

// GetPermission asks for a permission by id or slug. See contract 2.5.
type GetPermission struct{ Permission string }

func (q *GetPermission) answer(s *State, root *rootKey) Result {
	if !root.may(ReadPermissionPermission, "") {
		return ReadPermissionPermission.missing("")
	}
	p := s.findPermission(root, q.Permission)
	if p == nil {
		return refuse(PermissionNotFound)
	}
	shown := p.show()
	return &shown
}
