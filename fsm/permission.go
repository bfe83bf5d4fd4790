package fsm

import (
	"slices"
	"strings"
)

// slug is a permission that a customer gives to keys, directly or through roles. It has nothing to do with the permissions of root
// keys (see auth.go). A deleted one is kept, empty, because roles and keys still refer to it: they drop it when their list is next
// written, and until then it counts for nothing.
type slug struct {
	head
	id          string
	name        string
	text        string // what clients call the slug; queries compare it
	description string
	workspace   *workspace
	createdAt   int64
	deleted     bool
}

// access is the part of the ledger that says what keys may do.
type access struct {
	slugs     map[string]*slug     // by id, deleted ones included
	slugNames map[foldedName]*slug // live ones only
	roles     map[string]*role     // by id, deleted ones included
	roleNames map[foldedName]*role // live ones only
}

func newAccess() access {
	return access{
		slugs: make(map[string]*slug), slugNames: make(map[foldedName]*slug),
		roles: make(map[string]*role), roleNames: make(map[foldedName]*role),
	}
}

func (p *slug) ref() foldedName { return foldedName{p.workspace.id, fold(p.text)} }

// findSlug finds a live permission of the caller's workspace by its slug, in any case.
func (s *State) findSlug(root *rootKey, text string) *slug {
	return s.slugNames[foldedName{root.workspace.id, fold(text)}]
}

// findPermission finds a live permission of the caller's workspace by id, else by slug.
func (s *State) findPermission(root *rootKey, ref string) *slug {
	if p := s.slugs[ref]; p != nil && !p.deleted && p.workspace == root.workspace {
		return p
	}
	return s.findSlug(root, ref)
}

func (s *State) addSlug(p *slug) {
	s.slugs[p.id] = p
	s.slugNames[p.ref()] = p
	p.workspace.slugs.insert(p)
	s.added(p)
}

// slugPlan is what a list of slugs stands for: permissions that exist, and others that are to be made.
type slugPlan struct{ existing, create []*slug }

// planSlugs resolves a list in which slugs may repeat. It changes nothing.
func (s *State) planSlugs(root *rootKey, refs []SlugRef) slugPlan {
	var plan slugPlan
	seen := make(map[foldedName]struct{}, len(refs))
	for _, ref := range refs {
		name := foldedName{root.workspace.id, fold(ref.Slug)}
		if _, again := seen[name]; again {
			continue
		}
		seen[name] = struct{}{}
		if p := s.slugNames[name]; p != nil {
			plan.existing = append(plan.existing, p)
			continue
		}
		plan.create = append(plan.create, &slug{
			id: ref.ID, name: ref.Slug, text: ref.Slug, workspace: root.workspace, createdAt: s.clock,
		})
	}
	return plan
}

// permitted checks that the caller may make the permissions that the plan is to make.
func (plan slugPlan) permitted(root *rootKey) *Refusal {
	if len(plan.create) > 0 && !root.may(createPermissionPermission, "") {
		return createPermissionPermission.missing("")
	}
	return nil
}

// free checks the ids of the permissions that the plan is to make.
func (s *State) free(plan slugPlan) *Refusal {
	ids := make(map[string]struct{}, len(plan.create))
	for _, p := range plan.create {
		if _, again := ids[p.id]; again || s.slugs[p.id] != nil {
			return refuse(IDTaken)
		}
		ids[p.id] = struct{}{}
	}
	return nil
}

// carryOut makes what the plan is to make and returns all its permissions, in the order in which lists are kept.
func (s *State) carryOut(plan slugPlan) []*slug {
	for _, p := range plan.create {
		s.addSlug(p)
	}
	return sortedSlugs(append(plan.existing, plan.create...))
}

// sortedSlugs sorts a list by id, in place, and drops what repeats or was deleted.
func sortedSlugs(list []*slug) []*slug {
	list = slices.DeleteFunc(list, func(p *slug) bool { return p.deleted })
	slices.SortFunc(list, func(p, q *slug) int { return strings.Compare(p.id, q.id) })
	return slices.Compact(list)
}

// hasSlug reports whether a list sorted by id has p.
func hasSlug(list []*slug, p *slug) bool {
	_, ok := slices.BinarySearchFunc(list, p.id, func(q *slug, id string) int { return strings.Compare(q.id, id) })
	return ok
}

func slugIDs(list []*slug) []string {
	if len(list) == 0 {
		return nil
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.id
	}
	return ids
}

func (s *State) createPermission(root *rootKey, c *CreatePermission) Result {
	if !root.may(createPermissionPermission, "") {
		return createPermissionPermission.missing("")
	}
	if s.findSlug(root, c.Slug) != nil {
		return refuse(PermissionExists)
	}
	if s.slugs[c.ID] != nil {
		return refuse(IDTaken)
	}
	s.addSlug(&slug{
		id: c.ID, name: c.Name, text: c.Slug, description: c.Description, workspace: root.workspace, createdAt: s.clock,
	})
	return &Created{ID: c.ID}
}

// deletePermission takes a permission from all roles and keys by marking it; no role and no key is written.
func (s *State) deletePermission(root *rootKey, c *DeletePermission) Result {
	if !root.may(deletePermissionPermission, "") {
		return deletePermissionPermission.missing("")
	}
	p := s.findPermission(root, c.Permission)
	if p == nil {
		return refuse(PermissionNotFound)
	}
	delete(s.slugNames, p.ref())
	p.workspace.slugs.remove(p)
	s.change(p)
	p.name, p.text, p.description, p.deleted = "", "", "", true
	s.changed(p)
	return done
}

func (s *State) getPermission(root *rootKey, q *GetPermission) Result {
	if !root.may(readPermissionPermission, "") {
		return readPermissionPermission.missing("")
	}
	p := s.findPermission(root, q.Permission)
	if p == nil {
		return refuse(PermissionNotFound)
	}
	shown := p.show()
	return &shown
}

func (s *State) listPermissions(root *rootKey, q *ListPermissions) Result {
	if !root.may(readPermissionPermission, "") {
		return readPermissionPermission.missing("")
	}
	wanted := newSought(q.Search)
	list, next := search(&root.workspace.slugs, Page{Limit: q.Limit, Cursor: q.Cursor}, func(p *slug) bool {
		return wanted.in(p.id, p.name, p.text, p.description)
	}, (*slug).show)
	return &PermissionList{Permissions: list, Next: next}
}

func (p *slug) show() Permission {
	return Permission{ID: p.id, Name: p.name, Slug: p.text, Description: p.description}
}

// showSlugs shows the live permissions of a list, by slug.
func showSlugs(list []*slug) []Permission {
	var shown []Permission
	for _, p := range list {
		if !p.deleted {
			shown = append(shown, p.show())
		}
	}
	slices.SortFunc(shown, func(p, q Permission) int { return strings.Compare(p.Slug, q.Slug) })
	return shown
}
