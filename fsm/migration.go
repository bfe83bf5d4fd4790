package fsm

// migration is a named set of keys that a workspace imports as hashes.
type migration struct {
	entityHeader
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

func (ring *keyring) addMigration(m *migration) {
	ring.migrations[migrationRef{m.workspace.id, m.id}] = m
	m.workspace.migrations++
	ring.add(m)
}

func (ring *keyring) loadMigration(r *MigrationRecord) bool {
	w := ring.tenants.workspaces[r.WorkspaceID]
	if w == nil || ring.migrations[migrationRef{w.id, r.ID}] != nil || r.Algorithm < SHA256 || r.Algorithm > PrefixedAPIKey {
		return false
	}
	ring.addMigration(&migration{id: r.ID, workspace: w, algorithm: r.Algorithm, createdAt: r.CreatedAt})
	return true
}

func (m *migration) key() RecordKey { return migrationKey(m.workspace.id, m.id) }

func (m *migration) resource() AuditResource { return AuditResource{MigrationResource, m.id} }
