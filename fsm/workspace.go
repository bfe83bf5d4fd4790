package fsm

// workspace is a tenant. Nothing in it is visible from another one.
type workspace struct {
	head
	id        string
	name      string
	createdAt int64
	enabled   bool

	identities ordered[*identity] // its identities that are not deleted
	slugs      ordered[*slug]     // and permissions
	roles      ordered[*role]     // and roles
	audit      *auditLog          // nil: no entries
}

func (s *State) addWorkspace(w *workspace) {
	s.workspaces[w.id] = w
	s.workspaceList.insert(w)
	s.added(w)
}

func (w *workspace) key() RecordKey { return RecordKey{WorkspaceKind, w.id} }

func (w *workspace) record() Record {
	return &WorkspaceRecord{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: w.enabled}
}

func (w *workspace) digest() Digest { return digestOf(w.record()) }

func (s *State) loadWorkspace(r *WorkspaceRecord) bool {
	if s.workspaces[r.ID] != nil {
		return false
	}
	s.addWorkspace(&workspace{id: r.ID, name: r.Name, createdAt: r.CreatedAt, enabled: r.Enabled})
	return true
}
