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
func (p *accessPlan) resolve(s *State, a *MigratedAccess) (slugs []*slug, roles []*role, refusal *Refusal) {
	for _, ref := range a.Permissions {
		name := foldedName{p.workspace.id, fold(ref.Slug)}
		known := p.slugs[name]
		if known == nil {
			known = s.slugNames[name]
		}
		if known == nil {
			if p.slugIDs[ref.ID] || s.slugs[ref.ID] != nil {
				return nil, nil, refuse(IDTaken)
			}
			known = &slug{id: ref.ID, name: ref.Slug, text: ref.Slug, workspace: p.workspace, createdAt: p.now}
			p.createSlugs, p.slugIDs[ref.ID] = append(p.createSlugs, known), true
		}
		p.slugs[name] = known
		slugs = append(slugs, known)
	}
	for _, ref := range a.Roles {
		name := foldedName{p.workspace.id, fold(ref.Name)}
		known := p.roles[name]
		if known == nil {
			known = s.roleNames[name]
		}
		if known == nil {
			if p.roleIDs[ref.ID] || s.roles[ref.ID] != nil {
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
