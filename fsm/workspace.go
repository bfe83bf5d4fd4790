package fsm

// tenancy holds the workspaces and their root keys.
type tenancy struct {
	*core
	workspaces    map[string]*workspace
	workspaceList ordered[*workspace]
	rootKeys      map[string]*rootKey
	rootByHash    map[Hash]*rootKey
	rootKeyList   ordered[*rootKey]
	requestQuotas int // number of workspaces with a quota of requests
}

// workspace is a tenant. Nothing in it is visible from another one.
type workspace struct {
	entityHeader
	nextWorkspace
	id        string
	name      string
	createdAt int64
	enabled   bool
	quotas    Quotas
	used      Usage // of the kinds that this counts: see usage

	apis        ordered[*api]        // its APIs that are not deleted
	identities  ordered[*identity]   // its identities, likewise
	permissions ordered[*permission] // its permissions, likewise
	roles       ordered[*role]       // its roles, likewise
	buried      int                  // deleted permissions and roles to which something refers
	sweep       *sweep               // nil: none is buried
	yard        *yard                // nil: nothing waits in the graveyard
	audit       *auditLog            // nil: no entries
	migrations  int                  // how many
	marks       ordered[*importMark] // of what is tracked, or was until it was deleted
	marked      int64                // how many
	outcomes    outcomes             // its part of the idempotency store
}

func (t *tenancy) addWorkspace(w *workspace) {
	t.workspaces[w.id] = w
	t.workspaceList.insert(w)
	t.add(w)
}

func (w *workspace) key() RecordKey { return RecordKey{WorkspaceKind, w.id} }

func (w *workspace) record() Record {
	return &WorkspaceRecord{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: w.enabled, Quotas: w.quotas, nextWorkspace: w.nextWorkspace}
}

func (w *workspace) digest() Digest { return digestOf(w.record()) }

func (t *tenancy) loadWorkspace(r *WorkspaceRecord) bool {
	if t.workspaces[r.ID] != nil || !r.Quotas.valid() {
		return false
	}
	w := &workspace{id: r.ID, name: r.Name, createdAt: r.CreatedAt, enabled: r.Enabled, nextWorkspace: r.nextWorkspace}
	t.setQuotas(w, r.Quotas)
	t.addWorkspace(w)
	return true
}

func (w *workspace) resource() AuditResource { return AuditResource{WorkspaceResource, w.id} }
