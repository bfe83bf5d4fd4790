package fsm

// GetIdentity asks for an identity by id or externalId. See contract 2.4.
type GetIdentity struct{ Identity string }

func (q *GetIdentity) answer(s *State, root *rootKey) Result {
	i := s.findIdentity(root, q.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	if !root.may(ReadIdentityPermission, i.id) {
		return ReadIdentityPermission.missing(i.id)
	}
	return s.showIdentity(i)
}
