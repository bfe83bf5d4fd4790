package fsmtest

import (
	"slices"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// existing is what every kind asks about a thing that has the id of a record; ok: it may be replaced.
func (m *importing) existing(of, w string, gone bool) (outcome fsm.ImportOutcome, ok bool) {
	switch {
	case of != w:
		return m.conflict(fsm.ImportIDTaken), false
	case gone:
		return m.conflict(fsm.ImportDeleted), false
	}
	return fsm.ImportOutcome{}, true
}

func (m *importing) takeWorkspace(r *fsm.WorkspaceRecord) fsm.ImportOutcome {
	w := first(m.workspaces, func(w *workspace) bool { return w.id == r.ID })
	fresh := workspace{id: r.ID, name: r.Name, createdAt: r.CreatedAt, disabled: !r.Enabled, quotas: r.Quotas}
	switch {
	case w == nil:
		m.workspaces = append(m.workspaces, &fresh)
		return imported
	case w.id == m.root.workspace && !r.Enabled:
		return refusedImport(fsm.ImportImmutable)
	}
	return m.settle(*w == fresh, func() { *w = fresh })
}

func (m *importing) takeRootKey(w string, r *fsm.RootKeyRecord) fsm.ImportOutcome {
	k := first(m.rootKeys, func(k *rootKey) bool { return k.id == r.ID })
	switch {
	case k != nil && k.workspace != w:
		return m.conflict(fsm.ImportIDTaken)
	case (k == nil || k.hash != r.Hash) && m.hashTaken(r.Hash):
		return m.conflict(fsm.ImportHashTaken)
	}
	fresh := rootKey{id: r.ID, name: r.Name, hash: r.Hash, workspace: w, permissions: slices.Clone(r.Permissions), createdAt: r.CreatedAt, expires: r.Expires}
	if k == nil {
		m.rootKeys = append(m.rootKeys, &fresh)
		return imported
	}
	same := k.name == fresh.name && k.hash == fresh.hash && k.createdAt == fresh.createdAt && k.expires == fresh.expires && sameSet(k.permissions, fresh.permissions)
	if !same && k == m.root {
		return refusedImport(fsm.ImportImmutable)
	}
	return m.settle(same, func() { *k = fresh })
}

func (m *importing) takeAPI(w string, r *fsm.APIRecord) fsm.ImportOutcome {
	a := first(m.apis, func(a *api) bool { return a.id == r.ID })
	if a != nil {
		if outcome, ok := m.existing(a.workspace, w, a.deleted); !ok {
			return outcome
		}
	}
	if outcome, ok := m.marked(w, m.markOf(fsm.MarkedAPI, r.ID), a != nil); !ok {
		return outcome
	}
	fresh := api{id: r.ID, name: r.Name, workspace: w, keyspace: r.KeyspaceID, createdAt: r.CreatedAt, protected: r.Protected}
	if a == nil {
		if m.full(w, fsm.APIsQuota) {
			return refusedImport(fsm.ImportOverQuota)
		}
		m.apis = append(m.apis, &fresh)
		m.trackAPI(w, r.ID)
		return imported
	}
	if *a == fresh || m.replaces() {
		m.trackAPI(w, r.ID)
	}
	return m.settle(*a == fresh, func() { *a = fresh })
}

// trackAPI keeps a deleted API from coming back. An API has no balance, so nothing moves its mark.
func (m *importing) trackAPI(w, id string) {
	if m.markOf(fsm.MarkedAPI, id) == nil {
		m.track(w, fsm.MarkedAPI, id, fsm.ImportedCredits{})
	}
}

func (m *importing) takeMigration(w string, r *fsm.MigrationRecord) fsm.ImportOutcome {
	found := m.findMigration(&rootKey{workspace: w}, r.ID)
	switch {
	case found == nil:
		m.migrations = append(m.migrations, &migration{w, r.ID, r.Algorithm, r.CreatedAt})
		return imported
	case found.algorithm != r.Algorithm:
		return m.conflict(fsm.ImportImmutable)
	}
	return m.settle(found.createdAt == r.CreatedAt, func() { found.createdAt = r.CreatedAt })
}

func (m *importing) takePermission(w string, r *fsm.PermissionRecord) fsm.ImportOutcome {
	p := first(m.permissions, func(p *permission) bool { return p.id == r.ID })
	if slices.Contains(m.permissionIDs, r.ID) {
		if outcome, ok := m.existing(m.givenIn[r.ID], w, p == nil); !ok {
			return outcome
		}
	}
	if holder := m.permissionBySlug(&rootKey{workspace: w}, r.Slug); holder != nil && holder != p {
		return m.conflict(fsm.ImportNameTaken)
	}
	fresh := permission{r.ID, w, r.Name, r.Slug, r.Description, r.CreatedAt}
	if p == nil {
		if m.full(w, fsm.PermissionsQuota) {
			return refusedImport(fsm.ImportOverQuota)
		}
		m.addPermission(&fresh)
		return imported
	}
	return m.settle(*p == fresh, func() { *p = fresh })
}

func (m *importing) takeRole(w string, r *fsm.RoleRecord) fsm.ImportOutcome {
	have := first(m.roles, func(o *role) bool { return o.id == r.ID })
	if slices.Contains(m.roleIDs, r.ID) {
		if outcome, ok := m.existing(m.givenIn[r.ID], w, have == nil); !ok {
			return outcome
		}
	}
	if holder := m.roleByName(&rootKey{workspace: w}, r.Name); holder != nil && holder != have {
		return m.conflict(fsm.ImportNameTaken)
	}
	if !m.hasPermissions(w, r.Permissions) {
		return refusedImport(fsm.ImportNotFound)
	}
	fresh, had := role{r.ID, w, r.Name, r.Description, union(nil, r.Permissions), r.CreatedAt, leftover{}}, 0
	if have != nil {
		had = len(have.permissions)
	}
	switch {
	case m.tooMany(len(fresh.permissions), had, 1000):
		return refusedImport(fsm.ImportOverLimit)
	case have != nil:
		same := have.name == fresh.name && have.description == fresh.description && have.createdAt == fresh.createdAt && sameSet(have.permissions, fresh.permissions)
		return m.settle(same, func() { *have = fresh })
	case m.full(w, fsm.RolesQuota):
		return refusedImport(fsm.ImportOverQuota)
	}
	m.roles, m.roleIDs, m.givenIn[r.ID] = append(m.roles, &fresh), append(m.roleIDs, r.ID), w
	return imported
}

func (m *importing) hasPermissions(w string, ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool {
		return first(m.permissions, func(p *permission) bool { return p.id == id && p.workspace == w }) == nil
	})
}

func (m *importing) hasRoles(w string, ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return m.roleByID(&rootKey{workspace: w}, id) == nil })
}

func (m *importing) takeNamespace(w string, r *fsm.NamespaceRecord) fsm.ImportOutcome {
	n := first(m.namespaces, func(n *namespace) bool { return n.id == r.ID })
	if n != nil {
		if outcome, ok := m.existing(n.workspace, w, false); !ok {
			return outcome
		}
	}
	if first(m.namespaces, func(o *namespace) bool { return o != n && o.workspace == w && o.name == r.Name }) != nil {
		return m.conflict(fsm.ImportNameTaken)
	}
	if n == nil {
		if m.full(w, fsm.NamespacesQuota) {
			return refusedImport(fsm.ImportOverQuota)
		}
		m.namespaces = append(m.namespaces, &namespace{id: r.ID, name: r.Name, workspace: w, createdAt: r.CreatedAt})
		return imported
	}
	return m.settle(n.name == r.Name && n.createdAt == r.CreatedAt, func() { n.name, n.createdAt = r.Name, r.CreatedAt })
}

func (m *importing) takeOverride(w string, r *fsm.OverrideRecord) fsm.ImportOutcome {
	n := first(m.namespaces, func(n *namespace) bool { return n.id == r.NamespaceID && n.workspace == w })
	switch {
	case n == nil:
		return refusedImport(fsm.ImportNotFound)
	case r.Limit < 0 || r.Duration < 1000:
		return invalidImport(fsm.ImportOverLimit)
	}
	fresh := override{fsm.Override{ID: r.ID, Identifier: r.Identifier, Limit: r.Limit, Duration: r.Duration}, r.CreatedAt}
	for _, in := range m.namespaces {
		at := slices.IndexFunc(in.overrides, func(o override) bool { return o.ID == r.ID })
		switch {
		case at < 0:
			continue
		case in.workspace != w:
			return m.conflict(fsm.ImportIDTaken)
		case in != n || in.overrides[at].Identifier != r.Identifier:
			return m.conflict(fsm.ImportImmutable)
		}
		return m.settle(in.overrides[at] == fresh, func() { in.overrides[at] = fresh })
	}
	switch {
	case n.literal(r.Identifier) != nil:
		return m.conflict(fsm.ImportNameTaken)
	case strings.Contains(r.Identifier, "*") && n.patterns() >= 100:
		return refusedImport(fsm.ImportOverLimit)
	case m.full(w, fsm.OverridesQuota):
		return refusedImport(fsm.ImportOverQuota)
	}
	n.overrides = append(n.overrides, fresh)
	return imported
}
