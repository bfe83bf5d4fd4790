package fsm

// api groups keys. Each has one keyspace, which clients never see.
type api struct {
	head
	id         string
	keyspaceID string
	name       string
	workspace  *workspace
	createdAt  int64
}

func (s *State) createAPI(root *rootKey, c *CreateAPI) Result {
	if !root.may(createAPIPermission, "") {
		return createAPIPermission.missing("")
	}
	if s.apis[c.ID] != nil {
		return refuse(IDTaken)
	}
	s.addAPI(&api{id: c.ID, keyspaceID: c.KeyspaceID, name: c.Name, workspace: root.workspace, createdAt: s.clock})
	return &Created{ID: c.ID}
}

func (s *State) addAPI(a *api) {
	s.apis[a.id] = a
	s.added(a)
}

// getAPI checks the permission before it looks: see contract 1.13.
func (s *State) getAPI(root *rootKey, q *GetAPI) Result {
	if !root.may(readAPIPermission, q.APIID) {
		return readAPIPermission.missing(q.APIID)
	}
	a := s.findAPI(root, q.APIID)
	if a == nil {
		return refuse(APINotFound)
	}
	return &API{ID: a.id, Name: a.name}
}

// findAPI finds an API that the caller can see.
func (s *State) findAPI(root *rootKey, id string) *api {
	a := s.apis[id]
	if a == nil || a.workspace != root.workspace {
		return nil
	}
	return a
}
