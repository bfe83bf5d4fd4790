package fsm

// GetAPI asks for an API by id. See contract 2.2.
type GetAPI struct{ APIID string }

// answer checks the permission before it looks the API up: see contract 1.13.
func (q *GetAPI) answer(s *State, root *rootKey) Result {
	if !root.may(ReadAPIPermission, q.APIID) {
		return ReadAPIPermission.missing(q.APIID)
	}
	a := s.findAPI(root, q.APIID)
	if a == nil {
		return refuse(APINotFound)
	}
	shown := a.show()
	return &shown
}

func (a *api) show() API { return API{ID: a.id, Name: a.name} }
