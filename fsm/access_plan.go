package fsm

// accessPlan is what the permissions and roles of many keys stand for: what exists, and what is to be made, once for all of them.
type accessPlan struct {
	workspace   *workspace
	now         int64
	createSlugs []*slug
	createRoles []*role
	slugs       map[foldedName]*slug // found or planned
	roles       map[foldedName]*role
	slugIDs     map[string]bool // planned
	roleIDs     map[string]bool
}

func newAccessPlan(w *workspace, now int64) *accessPlan {
	return &accessPlan{
		workspace: w, now: now, slugs: map[foldedName]*slug{}, roles: map[foldedName]*role{},
		slugIDs: map[string]bool{}, roleIDs: map[string]bool{},
	}
}

// resolve returns the lists of one key as they are kept. It changes only the plan.
func (p *accessPlan) resolve(x *access, permissions []SlugRef, named []RoleRef) (slugs []*slug, roles []*role, refusal *Refusal) {
	for _, ref := range permissions {
		name := foldedName{p.workspace.id, fold(ref.Slug)}
		known := p.slugs[name]
		if known == nil {
			known = x.slugNames[name]
		}
		if known == nil {
			if p.slugIDs[ref.ID] || x.slugs[ref.ID] != nil {
				return nil, nil, refuse(IDTaken)
			}
			known = &slug{id: ref.ID, name: ref.Slug, text: ref.Slug, workspace: p.workspace, createdAt: p.now}
			p.createSlugs, p.slugIDs[ref.ID] = append(p.createSlugs, known), true
		}
		p.slugs[name] = known
		slugs = append(slugs, known)
	}
	for _, ref := range named {
		name := foldedName{p.workspace.id, fold(ref.Name)}
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
	return sortedSlugs(slugs), sortedRoles(roles), nil
}

// resolve finds the records of a list of ids, which must be in byte order and different, and of the same workspace.
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
