package fsm

import "slices"

func (m *importer) takePermission(w *workspace, r *PermissionRecord) ImportOutcome {
	p := m.permissions[r.ID]
	if p != nil {
		if outcome, ok := m.existing(p.workspace, w, p.deleted); !ok {
			return outcome
		}
	}
	ref := foldedName{w.id, foldCase(r.Slug)}
	if holder := m.permissionSlugs[ref]; holder != nil && holder != p {
		return m.conflict(ImportNameTaken)
	}
	if p == nil {
		if full(w, PermissionsQuota) {
			return refusedImport(ImportOverQuota)
		}
		m.addPermission(&permission{id: r.ID, name: r.Name, slug: r.Slug, description: r.Description, workspace: w, createdAt: r.CreatedAt})
		return imported
	}
	same := p.name == r.Name && p.slug == r.Slug && p.description == r.Description && p.createdAt == r.CreatedAt
	return m.settle(same, func() {
		m.beforeChange(p)
		delete(m.permissionSlugs, p.ref())
		p.name, p.slug, p.description, p.createdAt = r.Name, r.Slug, r.Description, r.CreatedAt
		m.permissionSlugs[ref] = p
		m.afterChange(p)
	})
}

func (m *importer) takeRole(w *workspace, r *RoleRecord) ImportOutcome {
	have := m.roles[r.ID]
	if have != nil {
		if outcome, ok := m.existing(have.workspace, w, have.deleted); !ok {
			return outcome
		}
	}
	ref := foldedName{w.id, foldCase(r.Name)}
	if holder := m.roleNames[ref]; holder != nil && holder != have {
		return m.conflict(ImportNameTaken)
	}
	list, ok := m.permissionsOf(w, r.Permissions)
	if !ok {
		return refusedImport(ImportNotFound)
	}
	var had []*permission
	if have != nil {
		had = have.permissions
	}
	if m.boundRole(had, list) != nil {
		return refusedImport(ImportOverLimit)
	}
	if have == nil {
		if full(w, RolesQuota) {
			return refusedImport(ImportOverQuota)
		}
		added := &role{id: r.ID, name: r.Name, description: r.Description, workspace: w, createdAt: r.CreatedAt}
		added.give(list)
		m.addRole(added)
		return imported
	}
	same := have.name == r.Name && have.description == r.Description && have.createdAt == r.CreatedAt &&
		slices.Equal(sortedPermissions(slices.Clone(had)), list)
	return m.settle(same, func() {
		m.beforeChange(have)
		delete(m.roleNames, have.ref())
		have.name, have.description, have.createdAt = r.Name, r.Description, r.CreatedAt
		m.giveRole(have, list)
		m.roleNames[ref] = have
		m.afterChange(have)
	})
}

// permissionsOf finds permissions by id, sorted as lists are stored.
func (m *importer) permissionsOf(w *workspace, ids []string) (list []*permission, ok bool) {
	for _, id := range ids {
		p := m.permissions[id]
		if p == nil || p.deleted || p.workspace != w {
			return nil, false
		}
		list = append(list, p)
	}
	return sortedPermissions(list), true
}

// rolesOf finds roles by id, likewise.
func (m *importer) rolesOf(w *workspace, ids []string) (list []*role, ok bool) {
	for _, id := range ids {
		r := m.roles[id]
		if r == nil || r.deleted || r.workspace != w {
			return nil, false
		}
		list = append(list, r)
	}
	return sortedRoles(list), true
}
