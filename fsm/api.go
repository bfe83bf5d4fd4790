package fsm

// api groups keys. Each API has one keyspace, which clients never see.
type api struct {
	entityHeader
	id         string
	keyspaceID string
	name       string
	workspace  *workspace
	createdAt  int64
	protected  bool // deletion is refused; no endpoint sets it
	deleted    bool // its keys are hidden and stay unchanged

	keys ordered[*key] // its keys that are not deleted
}

func (ring *keyring) addAPI(a *api) {
	ring.apis[a.id] = a
	a.workspace.used[APIsQuota]++
	if !a.deleted {
		a.workspace.apis.insert(a)
	}
	ring.add(a)
}

// findAPI finds an API that is not deleted, in the caller's workspace.
func (ring *keyring) findAPI(root *rootKey, id string) *api {
	a := ring.apis[id]
	if a == nil || a.deleted || a.workspace != root.workspace {
		return nil
	}
	return a
}

// endAPI hides an API. Its record stays.
func (ring *keyring) endAPI(a *api) {
	ring.beforeChange(a)
	a.deleted = true
	a.workspace.apis.remove(a)
	ring.afterChange(a)
}

func (a *api) key() RecordKey { return RecordKey{APIKind, a.id} }

func (a *api) record() Record {
	return &APIRecord{
		ID: a.id, KeyspaceID: a.keyspaceID, Name: a.name, WorkspaceID: a.workspace.id, CreatedAt: a.createdAt,
		Protected: a.protected, Deleted: a.deleted,
	}
}

func (a *api) digest() Digest { return digestOf(a.record()) }

func (ring *keyring) loadAPI(r *APIRecord) bool {
	w := ring.tenants.workspaces[r.WorkspaceID]
	if w == nil || ring.apis[r.ID] != nil {
		return false
	}
	ring.addAPI(&api{
		id: r.ID, keyspaceID: r.KeyspaceID, name: r.Name, workspace: w, createdAt: r.CreatedAt,
		protected: r.Protected, deleted: r.Deleted,
	})
	return true
}

func (a *api) resource() AuditResource { return AuditResource{APIResource, a.id} }
