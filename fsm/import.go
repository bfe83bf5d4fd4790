package fsm

// importer takes over the records of one ImportRecords.
type importer struct {
	*State
	root     *rootKey
	rule     ConflictRule
	track    bool
	readAt   int64
	operator bool // the caller may import into other workspaces, and root keys
}

var (
	imported       = ImportOutcome{Status: ImportCreated}
	importReplaced = ImportOutcome{Status: ImportReplaced}
	importedBefore = ImportOutcome{Status: ImportUnchanged}
)

// refused is the outcome of a record that the rule cannot settle either.
func refusedImport(why ImportReason) ImportOutcome {
	return ImportOutcome{Status: ImportConflict, Reason: why}
}

// conflict is the outcome of a record that meets something else.
func (m *importer) conflict(why ImportReason) ImportOutcome {
	if m.rule == SkipOnConflict {
		return ImportOutcome{Status: ImportSkipped, Reason: why}
	}
	return refusedImport(why)
}

// settle is the outcome of a record that exists. replace makes it what the record says.
func (m *importer) settle(same bool, replace func()) ImportOutcome {
	switch {
	case same:
		return importedBefore
	case m.rule != ReplaceOnConflict:
		return m.conflict(ImportDifferent)
	}
	replace()
	return importReplaced
}

// take decides about one record and writes it.
func (m *importer) take(i *ImportItem) ImportOutcome {
	if i.WorkspaceID != "" && i.WorkspaceID != m.root.workspace.id && !m.operator {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOperatorOnly}
	}
	if !i.Credits.valid() {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOverLimit}
	}
	w := m.root.workspace
	if i.WorkspaceID != "" {
		w = m.workspaces[i.WorkspaceID]
	}
	if w == nil && i.Record.is().kind != WorkspaceKind {
		return refusedImport(ImportNotFound)
	}
	return importKindOf(i.Record).take(m, w, i.Record, i.Credits)
}

// full reports whether the quota has no room for one more.
func full(w *workspace, kind QuotaKind) bool {
	var more Usage
	more[kind] = 1
	return w.room(more) != nil
}

// existing is what every kind asks about a thing that has the id of a record; ok: it may be replaced.
func (m *importer) existing(of, w *workspace, gone bool) (outcome ImportOutcome, ok bool) {
	switch {
	case of != w:
		return m.conflict(ImportIDTaken), false
	case gone:
		return m.conflict(ImportDeleted), false
	}
	return ImportOutcome{}, true
}

func (m *importer) takeWorkspace(_ *workspace, r *WorkspaceRecord) ImportOutcome {
	if !m.operator {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOperatorOnly}
	}
	if !r.Quotas.valid() || r.Quotas[RequestsQuota] == (Quota{Limited: true}) {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOverLimit}
	}
	w := m.workspaces[r.ID]
	if w == nil {
		w = &workspace{id: r.ID, name: r.Name, createdAt: r.CreatedAt, enabled: r.Enabled}
		m.setQuotas(w, r.Quotas)
		m.addWorkspace(w)
		return imported
	}
	if w == m.root.workspace && !r.Enabled {
		return refusedImport(ImportImmutable) // nobody could enable it again
	}
	same := w.name == r.Name && w.createdAt == r.CreatedAt && w.enabled == r.Enabled && w.quotas == r.Quotas
	return m.settle(same, func() {
		m.beforeChange(w)
		w.name, w.createdAt, w.enabled = r.Name, r.CreatedAt, r.Enabled
		m.setQuotas(w, r.Quotas)
		m.afterChange(w)
	})
}

func (m *importer) takeRootKey(w *workspace, r *RootKeyRecord) ImportOutcome {
	if !m.operator {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOperatorOnly}
	}
	k := m.rootKeys[r.ID]
	if k != nil && k.workspace != w {
		return m.conflict(ImportIDTaken)
	}
	if (k == nil || k.hash != r.Hash) && m.hashTaken(r.Hash) {
		return m.conflict(ImportHashTaken)
	}
	granted := permissionSet(r.Permissions)
	if k == nil {
		m.addRootKey(&rootKey{
			id: r.ID, hash: r.Hash, name: r.Name, workspace: w, permissions: granted, createdAt: r.CreatedAt, expires: r.Expires, enabled: r.Enabled,
		})
		return imported
	}
	shown := *r
	shown.WorkspaceID = w.id
	shown.Permissions = (&rootKey{permissions: granted}).sorted()
	same := digestOf(&shown) == k.digest()
	if !same && k == m.root {
		return refusedImport(ImportImmutable) // it could end its own request
	}
	return m.settle(same, func() {
		m.beforeChange(k)
		delete(m.rootByHash, k.hash)
		k.hash, k.name, k.permissions, k.createdAt, k.expires, k.enabled = r.Hash, r.Name, granted, r.CreatedAt, r.Expires, r.Enabled
		m.rootByHash[k.hash] = k
		m.afterChange(k)
	})
}

func (m *importer) takeAPI(w *workspace, r *APIRecord) ImportOutcome {
	a := m.apis[r.ID]
	if a == nil {
		if outcome, ok := m.absent(w, r.ID, MarkedAPI); !ok {
			return outcome
		}
		if full(w, APIsQuota) {
			return refusedImport(ImportOverQuota)
		}
		m.addAPI(&api{id: r.ID, keyspaceID: r.KeyspaceID, name: r.Name, workspace: w, createdAt: r.CreatedAt, protected: r.Protected})
		m.trackAPI(w, r.ID, nil)
		return imported
	}
	if outcome, ok := m.existing(a.workspace, w, a.deleted); !ok {
		return outcome
	}
	mark, outcome, ok := m.markFor(w, r.ID, MarkedAPI)
	if !ok {
		return outcome
	}
	same := a.name == r.Name && a.keyspaceID == r.KeyspaceID && a.createdAt == r.CreatedAt && a.protected == r.Protected
	if same || m.rule == ReplaceOnConflict {
		m.trackAPI(w, r.ID, mark)
	}
	return m.settle(same, func() {
		m.beforeChange(a)
		a.name, a.keyspaceID, a.createdAt, a.protected = r.Name, r.KeyspaceID, r.CreatedAt, r.Protected
		m.afterChange(a)
	})
}

// trackAPI remembers that an API was imported, so that it does not come back when it is deleted.
func (m *importer) trackAPI(w *workspace, id string, mark *importMark) {
	if mark == nil && m.track {
		m.addMark(&importMark{workspace: w, owner: id, of: MarkedAPI, readAt: m.readAt})
	}
}

// maxImportedMigrations is how many migrations a workspace has at most by imports: they have no quota, because otherwise only operators
// create them.
const maxImportedMigrations = 1000

func (m *importer) takeMigration(w *workspace, r *MigrationRecord) ImportOutcome {
	found := m.migrations[migrationRef{w.id, r.ID}]
	switch {
	case r.Algorithm < SHA256 || r.Algorithm > PrefixedAPIKey:
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOverLimit}
	case found == nil && w.migrations >= maxImportedMigrations:
		return refusedImport(ImportOverLimit)
	case found == nil:
		m.addMigration(&migration{id: r.ID, workspace: w, algorithm: r.Algorithm, createdAt: r.CreatedAt})
		return imported
	case found.algorithm != r.Algorithm:
		return m.conflict(ImportImmutable)
	}
	return m.settle(found.createdAt == r.CreatedAt, func() {
		m.beforeChange(found)
		found.createdAt = r.CreatedAt
		m.afterChange(found)
	})
}

func (m *importer) takeNamespace(w *workspace, r *NamespaceRecord) ImportOutcome {
	n := m.namespaces[r.ID]
	ref := namespaceRef{w.id, r.Name}
	if n != nil {
		if outcome, ok := m.existing(n.workspace, w, n.deleted); !ok {
			return outcome
		}
	}
	if holder := m.namespaceByName[ref]; holder != nil && holder != n {
		return m.conflict(ImportNameTaken)
	}
	if n == nil {
		if full(w, NamespacesQuota) {
			return refusedImport(ImportOverQuota)
		}
		m.addNamespace(&namespace{id: r.ID, name: r.Name, workspace: w, createdAt: r.CreatedAt})
		return imported
	}
	return m.settle(n.name == r.Name && n.createdAt == r.CreatedAt, func() {
		m.beforeChange(n)
		delete(m.namespaceByName, namespaceRef{w.id, n.name})
		n.name, n.createdAt = r.Name, r.CreatedAt
		m.namespaceByName[ref] = n
		m.afterChange(n)
	})
}

func (m *importer) takeOverride(w *workspace, r *OverrideRecord) ImportOutcome {
	n := m.namespaces[r.NamespaceID]
	if n == nil || n.workspace != w || n.deleted {
		return refusedImport(ImportNotFound)
	}
	if r.Limit < 0 || r.Duration < minDuration {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOverLimit}
	}
	o := m.overrides[r.ID]
	if o != nil {
		if outcome, ok := m.existing(o.namespace.workspace, w, false); !ok {
			return outcome
		}
		if o.namespace != n || o.identifier != r.Identifier {
			return m.conflict(ImportImmutable)
		}
		return m.settle(o.limit == r.Limit && o.duration == r.Duration && o.createdAt == r.CreatedAt, func() {
			m.beforeChange(o)
			o.limit, o.duration, o.createdAt = r.Limit, r.Duration, r.CreatedAt
			m.afterChange(o)
		})
	}
	o = &override{id: r.ID, namespace: n, identifier: r.Identifier, limit: r.Limit, duration: r.Duration, createdAt: r.CreatedAt}
	switch {
	case n.exact[r.Identifier] != nil:
		return m.conflict(ImportNameTaken)
	case o.wild() && len(n.patterns) >= maxPatterns:
		return refusedImport(ImportOverLimit)
	case full(w, OverridesQuota):
		return refusedImport(ImportOverQuota)
	}
	m.addOverride(o)
	return imported
}
