package fsm

import (
	"slices"
	"strings"
)

// permission is what a customer allows keys to do, directly or through roles. Root keys have permissions of their own: see
// root_permission.go. A deleted one is kept, empty, while roles and keys refer to it: see sweep. Until then it counts for nothing.
type permission struct {
	entityHeader
	id          string
	name        string
	slug        string // queries compare it
	description string
	workspace   *workspace
	createdAt   int64
	referred
}

// access holds the permissions and roles of all workspaces.
type access struct {
	*core
	tenants         *tenancy
	graves          *graveyard
	sweeps          *sweeper
	permissions     map[string]*permission     // by id, deleted ones included
	permissionSlugs map[foldedName]*permission // live ones only
	roles           map[string]*role           // by id, deleted ones included
	roleNames       map[foldedName]*role       // live ones only
}

func (p *permission) ref() foldedName { return foldedName{p.workspace.id, foldCase(p.slug)} }

// findPermissionSlug finds a permission that is not deleted, in the caller's workspace, by its slug in any case.
func (x *access) findPermissionSlug(root *rootKey, text string) *permission {
	return x.permissionSlugs[foldedName{root.workspace.id, foldCase(text)}]
}

// findPermission finds a permission that is not deleted, in the caller's workspace, by id or else by slug.
func (x *access) findPermission(root *rootKey, ref string) *permission {
	if p := x.permissions[ref]; p != nil && !p.deleted && p.workspace == root.workspace {
		return p
	}
	return x.findPermissionSlug(root, ref)
}

func (x *access) addPermission(p *permission) {
	x.permissions[p.id] = p
	x.permissionSlugs[p.ref()] = p
	p.workspace.permissions.insert(p)
	p.workspace.used[PermissionsQuota]++
	x.add(p)
}

// endPermission deletes a permission. Its record goes at once if nothing refers to it, and otherwise after the sweep.
func (x *access) endPermission(p *permission) {
	delete(x.permissionSlugs, p.ref())
	p.workspace.permissions.remove(p)
	if x.version >= fifthRules && p.links == 0 {
		x.removePermission(p)
		return
	}
	x.beforeChange(p)
	p.name, p.slug, p.description, p.deleted = "", "", "", true
	x.afterChange(p)
	x.bury(p)
}

// removePermission removes a permission that is in no list.
func (x *access) removePermission(p *permission) {
	x.remove(p)
	delete(x.permissions, p.id)
	p.workspace.used[PermissionsQuota]--
	x.graves.drop(p)
}

// permissionPlan is a resolved list of slugs: permissions that exist, and permissions to create.
type permissionPlan struct{ existing, create []*permission }

// adds is the number of permissions that the plan adds.
func (plan permissionPlan) adds() int64 { return int64(len(plan.create)) }

// planPermissions resolves a list of slugs, which may repeat. It changes nothing.
func (x *access) planPermissions(root *rootKey, refs []PermissionRef) permissionPlan {
	var plan permissionPlan
	seen := make(map[foldedName]struct{}, len(refs))
	for _, ref := range refs {
		name := foldedName{root.workspace.id, foldCase(ref.Slug)}
		if _, again := seen[name]; again {
			continue
		}
		seen[name] = struct{}{}
		if p := x.permissionSlugs[name]; p != nil {
			plan.existing = append(plan.existing, p)
			continue
		}
		plan.create = append(plan.create, &permission{
			id: ref.ID, name: ref.Slug, slug: ref.Slug, workspace: root.workspace, createdAt: x.clock,
		})
	}
	return plan
}

// permitted checks that the caller may create the new permissions of the plan.
func (plan permissionPlan) permitted(root *rootKey) *Refusal {
	if len(plan.create) > 0 && !root.may(CreatePermissionPermission, "") {
		return CreatePermissionPermission.missing("")
	}
	return nil
}

// checkPermissionIDs checks that the ids of the new permissions are free.
func (x *access) checkPermissionIDs(plan permissionPlan) *Refusal {
	ids := make(map[string]struct{}, len(plan.create))
	for _, p := range plan.create {
		if _, again := ids[p.id]; again || x.permissions[p.id] != nil {
			return refuse(IDTaken)
		}
		ids[p.id] = struct{}{}
	}
	return nil
}

// list returns all permissions of the plan, sorted as lists are stored.
func (plan permissionPlan) list() []*permission {
	return sortedPermissions(slices.Concat(plan.existing, plan.create))
}

// createPlanned creates the new permissions of a plan.
func (x *access) createPlanned(plan permissionPlan) {
	for _, p := range plan.create {
		x.addPermission(p)
	}
}

// sortedPermissions sorts a list by id, in place, without repeated and deleted permissions.
func sortedPermissions(list []*permission) []*permission {
	list = slices.DeleteFunc(list, func(p *permission) bool { return p.deleted })
	slices.SortFunc(list, func(p, q *permission) int { return strings.Compare(p.id, q.id) })
	return slices.Compact(list)
}

// hasPermission reports whether a list that is sorted by id contains p.
func hasPermission(list []*permission, p *permission) bool {
	_, ok := slices.BinarySearchFunc(list, p.id, func(q *permission, id string) int { return strings.Compare(q.id, id) })
	return ok
}

func permissionIDs(list []*permission) []string {
	if len(list) == 0 {
		return nil
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.id
	}
	return ids
}

func (p *permission) show() Permission {
	return Permission{ID: p.id, Name: p.name, Slug: p.slug, Description: p.description}
}

// showPermissions shows the permissions of a list that are not deleted, sorted by slug.
func showPermissions(list []*permission) []Permission {
	var shown []Permission
	for _, p := range list {
		if !p.deleted {
			shown = append(shown, p.show())
		}
	}
	slices.SortFunc(shown, func(p, q Permission) int { return strings.Compare(p.Slug, q.Slug) })
	return shown
}

func (p *permission) key() RecordKey { return RecordKey{PermissionKind, p.id} }

func (p *permission) record() Record {
	return &PermissionRecord{
		ID: p.id, WorkspaceID: p.workspace.id, Name: p.name, Slug: p.slug, Description: p.description,
		CreatedAt: p.createdAt, Deleted: p.deleted,
	}
}

func (p *permission) digest() Digest { return digestOf(p.record()) }

func (x *access) loadPermission(r *PermissionRecord) bool {
	w := x.tenants.workspaces[r.WorkspaceID]
	if w == nil || x.permissions[r.ID] != nil {
		return false
	}
	p := &permission{
		id: r.ID, name: r.Name, slug: r.Slug, description: r.Description, workspace: w, createdAt: r.CreatedAt, referred: referred{deleted: r.Deleted},
	}
	if p.deleted {
		x.permissions[p.id] = p
		w.used[PermissionsQuota]++
		x.add(p)
		x.graves.review(p)
		return true
	}
	if x.permissionSlugs[p.ref()] != nil {
		return false
	}
	x.addPermission(p)
	return true
}

func (p *permission) resource() AuditResource { return AuditResource{PermissionResource, p.id} }
