package fsm

// api groups keys. Each has one keyspace, which clients never see.
type api struct {
	head
	id         string
	keyspaceID string
	name       string
	workspace  *workspace
	createdAt  int64
	protected  bool // may not be deleted; no endpoint sets it
	deleted    bool // its keys exist no more, and stay as they were

	keys ordered[*key] // its keys that are not deleted
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

// findAPI finds a live API that the caller can see.
func (s *State) findAPI(root *rootKey, id string) *api {
	a := s.apis[id]
	if a == nil || a.deleted || a.workspace != root.workspace {
		return nil
	}
	return a
}

// deleteAPI hides an API, and with it all of its keys: they are found through it. Their balances stay where they are, out of
// everybody's reach. See contract 2.2.
func (s *State) deleteAPI(root *rootKey, c *DeleteAPI) Result {
	if !root.may(deleteAPIPermission, c.APIID) {
		return deleteAPIPermission.missing(c.APIID)
	}
	a := s.findAPI(root, c.APIID)
	if a == nil {
		return refuse(APINotFound)
	}
	if a.protected {
		return refuse(APIProtected)
	}
	s.change(a)
	a.deleted = true
	s.changed(a)
	return done
}
