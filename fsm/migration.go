package fsm

// migration is a source of keys that a workspace has agreed to.
type migration struct {
	head
	id        string
	workspace *workspace
	algorithm Algorithm
	createdAt int64
}

type migrationRef struct{ workspaceID, id string }

func (m *migration) digest() Digest { return digestOf(m.record()) }

func (m *migration) record() Record {
	return &MigrationRecord{ID: m.id, WorkspaceID: m.workspace.id, Algorithm: m.algorithm, CreatedAt: m.createdAt}
}

func (s *State) addMigration(m *migration) {
	s.migrations[migrationRef{m.workspace.id, m.id}] = m
	s.added(m)
}

func (s *State) loadMigration(r *MigrationRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.migrations[migrationRef{w.id, r.ID}] != nil || r.Algorithm < SHA256 || r.Algorithm > PrefixedAPIKey {
		return false
	}
	s.addMigration(&migration{id: r.ID, workspace: w, algorithm: r.Algorithm, createdAt: r.CreatedAt})
	return true
}

func (m *migration) key() RecordKey { return migrationKey(m.workspace.id, m.id) }
