package fsm

import (
	"slices"
	"strings"
)

// slug is a permission that a customer gives to keys, directly or through roles. It has nothing to do with the permissions of root
// keys (see root_permission.go). A deleted one is kept, empty, because roles and keys still refer to it: they drop it when their list is next
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
	*core
	tenants   *tenancy
	slugs     map[string]*slug     // by id, deleted ones included
	slugNames map[foldedName]*slug // live ones only
	roles     map[string]*role     // by id, deleted ones included
	roleNames map[foldedName]*role // live ones only
}

func (p *slug) ref() foldedName { return foldedName{p.workspace.id, fold(p.text)} }

// findSlug finds a live permission of the caller's workspace by its slug, in any case.
func (x *access) findSlug(root *rootKey, text string) *slug {
	return x.slugNames[foldedName{root.workspace.id, fold(text)}]
}

// findPermission finds a live permission of the caller's workspace by id, else by slug.
func (x *access) findPermission(root *rootKey, ref string) *slug {
	if p := x.slugs[ref]; p != nil && !p.deleted && p.workspace == root.workspace {
		return p
	}
	return x.findSlug(root, ref)
}

func (x *access) addSlug(p *slug) {
	x.slugs[p.id] = p
	x.slugNames[p.ref()] = p
	p.workspace.slugs.insert(p)
	x.added(p)
}

// slugPlan is what a list of slugs stands for: permissions that exist, and others that are to be made.
type slugPlan struct{ existing, create []*slug }

// planSlugs resolves a list in which slugs may repeat. It changes nothing.
func (x *access) planSlugs(root *rootKey, refs []SlugRef) slugPlan {
	var plan slugPlan
	seen := make(map[foldedName]struct{}, len(refs))
	for _, ref := range refs {
		name := foldedName{root.workspace.id, fold(ref.Slug)}
		if _, again := seen[name]; again {
			continue
		}
		seen[name] = struct{}{}
		if p := x.slugNames[name]; p != nil {
			plan.existing = append(plan.existing, p)
			continue
		}
		plan.create = append(plan.create, &slug{
			id: ref.ID, name: ref.Slug, text: ref.Slug, workspace: root.workspace, createdAt: x.clock,
		})
	}
	return plan
}

// permitted checks that the caller may make the permissions that the plan is to make.
func (plan slugPlan) permitted(root *rootKey) *Refusal {
	if len(plan.create) > 0 && !root.may(CreatePermissionPermission, "") {
		return CreatePermissionPermission.missing("")
	}
	return nil
}

// free checks the ids of the permissions that the plan is to make.
func (x *access) free(plan slugPlan) *Refusal {
	ids := make(map[string]struct{}, len(plan.create))
	for _, p := range plan.create {
		if _, again := ids[p.id]; again || x.slugs[p.id] != nil {
			return refuse(IDTaken)
		}
		ids[p.id] = struct{}{}
	}
	return nil
}

// carryOut makes what the plan is to make and returns all its permissions, in the order in which lists are kept.
func (x *access) carryOut(plan slugPlan) []*slug {
	for _, p := range plan.create {
		x.addSlug(p)
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

func (p *slug) key() RecordKey { return RecordKey{PermissionKind, p.id} }

func (p *slug) record() Record {
	return &PermissionRecord{
		ID: p.id, WorkspaceID: p.workspace.id, Name: p.name, Slug: p.text, Description: p.description,
		CreatedAt: p.createdAt, Deleted: p.deleted,
	}
}

func (p *slug) digest() Digest { return digestOf(p.record()) }

func (x *access) loadPermission(r *PermissionRecord) bool {
	w := x.tenants.workspaces[r.WorkspaceID]
	if w == nil || x.slugs[r.ID] != nil {
		return false
	}
	p := &slug{
		id: r.ID, name: r.Name, text: r.Slug, description: r.Description, workspace: w, createdAt: r.CreatedAt, deleted: r.Deleted,
	}
	if p.deleted {
		x.slugs[p.id] = p
		x.added(p)
		return true
	}
	if x.slugNames[p.ref()] != nil {
		return false
	}
	x.addSlug(p)
	return true
}

func (p *slug) resource() AuditResource { return AuditResource{PermissionResource, p.id} }
