package fsm

// GetRole asks for a role by id or name. See contract 2.5.
type GetRole struct{ Role string }

func (q *GetRole) answer(s *State, root *rootKey) Result {
	if !root.may(ReadRolePermission, "") {
		return ReadRolePermission.missing("")
	}
	r := s.findRole(root, q.Role)
	if r == nil {
		return refuse(RoleNotFound)
	}
	shown := r.show()
	return &shown
}
