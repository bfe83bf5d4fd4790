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
	deleted    bool // its keys are hidden, and the graveyard removes them
	waiting    bool // in the graveyard, at place
	place      int32

	keys ordered[*key] // its keys that are not deleted by themselves
}

func (ring *keyring) addAPI(a *api) {
	ring.apis[a.id] = a
	a.workspace.used[APIsQuota]++
	if !a.deleted {
		a.workspace.apis.insert(a)
	}
	ring.add(a)
}

// removeAPI removes a deleted API that has no keys.
func (ring *keyring) removeAPI(a *api) {
	ring.remove(a)
	delete(ring.apis, a.id)
	a.workspace.used[APIsQuota]--
	ring.graves.drop(a)
}

// findAPI finds an API that is not deleted, in the caller's workspace.
func (ring *keyring) findAPI(root *rootKey, id string) *api {
	a := ring.apis[id]
	if a == nil || a.deleted || a.workspace != root.workspace {
		return nil
	}
	return a
}

// endAPI hides an API. The graveyard removes it.
func (ring *keyring) endAPI(a *api) {
	ring.beforeChange(a)
	a.deleted = true
	a.workspace.apis.remove(a)
	ring.afterChange(a)
	ring.graves.review(a)
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
	a := &api{
		id: r.ID, keyspaceID: r.KeyspaceID, name: r.Name, workspace: w, createdAt: r.CreatedAt,
		protected: r.Protected, deleted: r.Deleted,
	}
	ring.addAPI(a)
	ring.graves.review(a)
	return true
}

func (a *api) resource() AuditResource { return AuditResource{APIResource, a.id} }
