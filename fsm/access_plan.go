package fsm

// accessPlan resolves the permissions and roles of many keys: those that exist, and those to create. It creates each one once.
type accessPlan struct {
	workspace         *workspace
	now               int64
	createPermissions []*permission
	createRoles       []*role
	permissions       map[foldedName]*permission // found or planned
	roles             map[foldedName]*role
	permissionIDs     map[string]bool // planned
	roleIDs           map[string]bool
}

func newAccessPlan(w *workspace, now int64) *accessPlan {
	return &accessPlan{
		workspace: w, now: now, permissions: map[foldedName]*permission{}, roles: map[foldedName]*role{},
		permissionIDs: map[string]bool{}, roleIDs: map[string]bool{},
	}
}

// resolve returns the permissions and roles of one key, sorted as they are stored. It changes only the plan.
func (p *accessPlan) resolve(x *access, refs []PermissionRef, named []RoleRef) (permissions []*permission, roles []*role, refusal *Refusal) {
	for _, ref := range refs {
		name := foldedName{p.workspace.id, foldCase(ref.Slug)}
		known := p.permissions[name]
		if known == nil {
			known = x.permissionSlugs[name]
		}
		if known == nil {
			if p.permissionIDs[ref.ID] || x.permissions[ref.ID] != nil {
				return nil, nil, refuse(IDTaken)
			}
			known = &permission{id: ref.ID, name: ref.Slug, slug: ref.Slug, workspace: p.workspace, createdAt: p.now}
			p.createPermissions, p.permissionIDs[ref.ID] = append(p.createPermissions, known), true
		}
		p.permissions[name] = known
		permissions = append(permissions, known)
	}
	for _, ref := range named {
		name := foldedName{p.workspace.id, foldCase(ref.Name)}
		known := p.roles[name]
		if known == nil {
			known = x.roleNames[name]
		}
		if known == nil {
			if p.roleIDs[ref.ID] || x.roles[ref.ID] != nil {
				return nil, nil, refuse(IDTaken)
			}
			known = &role{id: ref.ID, name: ref.Name, workspace: p.workspace, createdAt: p.now}
			p.createRoles, p.roleIDs[ref.ID] = append(p.createRoles, known), true
		}
		p.roles[name] = known
		roles = append(roles, known)
	}
	return sortedPermissions(permissions), sortedRoles(roles), nil
}

// resolve finds the entities of a list of ids. The ids must ascend, and the entities must belong to the same workspace.
func resolve[T any](records map[string]*T, ids []string, belongs func(*T) bool) (list []*T, ok bool) {
	for i, id := range ids {
		r := records[id]
		if r == nil || !belongs(r) || i > 0 && id <= ids[i-1] {
			return nil, false
		}
		list = append(list, r)
	}
	return list, true
}
