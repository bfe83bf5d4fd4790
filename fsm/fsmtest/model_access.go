package fsmtest

import (
	"slices"
	"sort"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// permission is a permission that exists. A deletion removes it, and its id from every role and every key: see leftover.
type permission struct {
	id, workspace, name, slug, description string
	createdAt                              int64
}

// role is a role that exists.
type role struct {
	id, workspace, name, description string
	permissions                      []string // ids
	createdAt                        int64
	left                             leftover
}

// sameName is contract 6, D-11.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

func (t *Model) permissionBySlug(root *rootKey, slug string) *permission {
	for _, p := range t.permissions {
		if p.workspace == root.workspace && sameName(p.slug, slug) {
			return p
		}
	}
	return nil
}

// permissionByRef tries an id, then a slug.
func (t *Model) permissionByRef(root *rootKey, ref string) *permission {
	for _, p := range t.permissions {
		if p.workspace == root.workspace && p.id == ref {
			return p
		}
	}
	return t.permissionBySlug(root, ref)
}

func (t *Model) roleByName(root *rootKey, name string) *role {
	for _, r := range t.roles {
		if r.workspace == root.workspace && sameName(r.name, name) {
			return r
		}
	}
	return nil
}

func (t *Model) roleByID(root *rootKey, id string) *role {
	for _, r := range t.roles {
		if r.workspace == root.workspace && r.id == id {
			return r
		}
	}
	return nil
}

// roleByRef tries an id, then a name.
func (t *Model) roleByRef(root *rootKey, ref string) *role {
	if r := t.roleByID(root, ref); r != nil {
		return r
	}
	return t.roleByName(root, ref)
}

func (p *permission) shown() fsm.Permission {
	return fsm.Permission{ID: p.id, Name: p.name, Slug: p.slug, Description: p.description}
}

// shownPermissions shows the permissions of these ids by slug.
func (t *Model) shownPermissions(ids []string) []fsm.Permission {
	var shown []fsm.Permission
	for _, p := range t.permissions {
		if slices.Contains(ids, p.id) {
			shown = append(shown, p.shown())
		}
	}
	sort.Slice(shown, func(i, j int) bool { return shown[i].Slug < shown[j].Slug })
	return shown
}

func (t *Model) shownRole(r *role) fsm.Role {
	return fsm.Role{ID: r.id, Name: r.name, Description: r.description, Permissions: t.shownPermissions(r.permissions)}
}

// slugsOf is what contract 2.0 says of KeyOut.permissions: the first 5,000 [D-33].
func (t *Model) slugsOf(k *key) []string {
	ids := t.linksOf(k)
	if t.version >= ThirdRules {
		ids = ids[:min(len(ids), 5000)]
	}
	return t.slugs(ids)
}

// linksOf are the ids of a key's permissions: its own, then those of its roles, each in order.
func (t *Model) linksOf(k *key) []string {
	ids := slices.Sorted(slices.Values(k.permissions))
	roles := slices.SortedFunc(slices.Values(t.roles), func(a, b *role) int { return strings.Compare(a.id, b.id) })
	for _, r := range roles {
		if slices.Contains(k.roles, r.id) {
			ids = append(ids, slices.Sorted(slices.Values(r.permissions))...)
		}
	}
	return ids
}

func (t *Model) slugs(ids []string) []string {
	var slugs []string
	for _, p := range t.shownPermissions(ids) {
		slugs = append(slugs, p.Slug)
	}
	return slugs
}

func (t *Model) rolesOf(k *key) []string {
	var names []string
	for _, r := range t.roles {
		if slices.Contains(k.roles, r.id) {
			names = append(names, r.name)
		}
	}
	sort.Strings(names)
	return names
}

// tooMany is contract 1.10 [D-33]: what a key or a role cannot come to have, unless it has as much.
func (t *Model) tooMany(list, had, most int) bool {
	return t.version >= ThirdRules && list > most && list > had
}

// overfull reports whether a key with these direct permissions and roles has more than it may, and than before; k nil: it is new.
func (t *Model) overfull(k *key, permissions, roles []string) bool {
	if k == nil {
		k = &key{}
	}
	return t.tooMany(len(permissions), len(k.permissions), 1000) || t.tooMany(len(roles), len(k.roles), 100) ||
		t.tooMany(t.together(permissions, roles), t.together(k.permissions, k.roles), 5000)
}

// together counts the permissions of a key and of its roles.
func (t *Model) together(permissions, roles []string) int {
	n := len(permissions)
	for _, r := range t.roles {
		if slices.Contains(roles, r.id) {
			n += len(r.permissions)
		}
	}
	return n
}

// named are the ids of the permissions that resolved would return, without making any.
func (t *Model) named(root *rootKey, refs []fsm.PermissionRef) []string {
	var ids []string
	for _, ref := range t.unknown(root, refs) {
		ids = append(ids, ref.ID)
	}
	for _, ref := range refs {
		if p := t.permissionBySlug(root, ref.Slug); p != nil {
			ids = union(ids, []string{p.id})
		}
	}
	return ids
}

// unknown returns the slugs that no permission has, each once.
func (t *Model) unknown(root *rootKey, refs []fsm.PermissionRef) []fsm.PermissionRef {
	var list []fsm.PermissionRef
	for _, ref := range refs {
		listed := slices.ContainsFunc(list, func(other fsm.PermissionRef) bool { return sameName(other.Slug, ref.Slug) })
		if !listed && t.permissionBySlug(root, ref.Slug) == nil {
			list = append(list, ref)
		}
	}
	return list
}

// idsTaken reports whether one of the new ids is taken, by a permission that was deleted also, or stands there twice.
func (t *Model) idsTaken(fresh []fsm.PermissionRef) bool {
	used := slices.Clone(t.permissionIDs)
	for _, ref := range fresh {
		if slices.Contains(used, ref.ID) {
			return true
		}
		used = append(used, ref.ID)
	}
	return false
}

// resolved makes the permissions that are missing and returns the ids of all, each once.
func (t *Model) resolved(root *rootKey, refs []fsm.PermissionRef) []string {
	for _, ref := range t.unknown(root, refs) {
		t.addPermission(&permission{ref.ID, root.workspace, ref.Slug, ref.Slug, "", t.now})
	}
	var ids []string
	for _, ref := range refs {
		if p := t.permissionBySlug(root, ref.Slug); !slices.Contains(ids, p.id) {
			ids = append(ids, p.id)
		}
	}
	return ids
}

func (t *Model) addPermission(p *permission) {
	t.permissions = append(t.permissions, p)
	t.permissionIDs = append(t.permissionIDs, p.id)
	t.givenIn[p.id] = p.workspace
}

func without(list []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return slices.Contains(gone, id) })
}

func union(list, more []string) []string { return append(without(list, more...), more...) }

// all are several requirements, the first one that is not met counts.
func all(refusals ...fsm.Result) fsm.Result {
	for _, r := range refusals {
		if r != nil {
			return r
		}
	}
	return nil
}

// createsPermissions is what making unknown permissions takes.
func (t *Model) createsPermissions(root *rootKey, refs []fsm.PermissionRef) fsm.Result {
	if len(t.unknown(root, refs)) == 0 {
		return nil
	}
	return need(root, "rbac.*.create_permission")
}

// createPermission is contract 2.5.
func (t *Model) createPermission(root *rootKey, c *fsm.CreatePermission) fsm.Result {
	if r := need(root, "rbac.*.create_permission"); r != nil {
		return r
	}
	if t.permissionBySlug(root, c.Slug) != nil {
		return refusal(fsm.PermissionExists)
	}
	if slices.Contains(t.permissionIDs, c.ID) {
		return refusal(fsm.IDTaken)
	}
	if r := t.room(root, fsm.Usage{fsm.PermissionsQuota: 1}); r != nil {
		return r
	}
	t.addPermission(&permission{c.ID, root.workspace, c.Name, c.Slug, c.Description, t.now})
	return &fsm.Created{ID: c.ID}
}

func (t *Model) deletePermission(root *rootKey, c *fsm.DeletePermission) fsm.Result {
	if r := need(root, "rbac.*.delete_permission"); r != nil {
		return r
	}
	p := t.permissionByRef(root, c.Permission)
	if p == nil {
		return refusal(fsm.PermissionNotFound)
	}
	t.endSweeps()
	t.permissions = slices.DeleteFunc(t.permissions, func(other *permission) bool { return other == p })
	for _, r := range t.roles {
		moveTo(&r.left.permissions, &r.permissions, p.id)
	}
	for _, k := range t.keys {
		moveTo(&k.left.permissions, &k.permissions, p.id)
	}
	t.bury(&t.permissionIDs, p.id)
	return &fsm.Done{}
}

func (t *Model) createRole(root *rootKey, c *fsm.CreateRole) fsm.Result {
	if r := need(root, "rbac.*.create_role"); r != nil {
		return r
	}
	if len(c.Permissions) > 0 {
		if r := all(need(root, "rbac.*.add_permission_to_role"), t.createsPermissions(root, c.Permissions)); r != nil {
			return r
		}
	}
	if t.roleByName(root, c.Name) != nil {
		return refusal(fsm.RoleExists)
	}
	if slices.Contains(t.roleIDs, c.ID) || t.idsTaken(t.unknown(root, c.Permissions)) {
		return refusal(fsm.IDTaken)
	}
	if t.tooMany(len(t.named(root, c.Permissions)), 0, 1000) {
		return refusal(fsm.InvalidInput)
	}
	if r := t.room(root, fsm.Usage{fsm.RolesQuota: 1, fsm.PermissionsQuota: int64(len(t.unknown(root, c.Permissions)))}); r != nil {
		return r
	}
	t.givenIn[c.ID] = root.workspace
	t.roleIDs = append(t.roleIDs, c.ID)
	t.roles = append(t.roles, &role{c.ID, root.workspace, c.Name, c.Description, t.resolved(root, c.Permissions), t.now, leftover{}})
	return &fsm.Created{ID: c.ID}
}

func (t *Model) deleteRole(root *rootKey, c *fsm.DeleteRole) fsm.Result {
	if r := need(root, "rbac.*.delete_role"); r != nil {
		return r
	}
	r := t.roleByRef(root, c.Role)
	if r == nil {
		return refusal(fsm.RoleNotFound)
	}
	t.roles = slices.DeleteFunc(t.roles, func(other *role) bool { return other == r })
	t.endSweeps()
	for _, k := range t.keys {
		moveTo(&k.left.roles, &k.roles, r.id)
	}
	t.bury(&t.roleIDs, r.id)
	return &fsm.Done{}
}

func (t *Model) setRolePermissions(root *rootKey, c *fsm.SetRolePermissions) fsm.Result {
	if r := all(need(root, "rbac.*.add_permission_to_role"), need(root, "rbac.*.remove_permission_from_role"),
		t.createsPermissions(root, c.Permissions)); r != nil {
		return r
	}
	r := t.roleByID(root, c.RoleID)
	if r == nil {
		return refusal(fsm.RoleNotFound)
	}
	if t.idsTaken(t.unknown(root, c.Permissions)) {
		return refusal(fsm.IDTaken)
	}
	if t.tooMany(len(t.named(root, c.Permissions)), len(r.permissions), 1000) {
		return refusal(fsm.InvalidInput)
	}
	if r := t.room(root, fsm.Usage{fsm.PermissionsQuota: int64(len(t.unknown(root, c.Permissions)))}); r != nil {
		return r
	}
	r.permissions, r.left = t.resolved(root, c.Permissions), leftover{}
	return &fsm.PermissionList{Permissions: t.shownPermissions(r.permissions)}
}

// linkKeyPermissions is contract 2.3: the lookup of the key first.
func (t *Model) linkKeyPermissions(root *rootKey, c *fsm.LinkKeyPermissions) fsm.Result {
	k := t.keyByID(root, c.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	needed := []fsm.Result{need(root, either("api", k.api, "update_key")...)}
	if c.Op != fsm.RemoveLinks {
		needed = append(needed, need(root, "rbac.*.add_permission_to_key"))
	}
	if c.Op != fsm.AddLinks {
		needed = append(needed, need(root, "rbac.*.remove_permission_from_key"))
	}
	if r := all(needed...); r != nil {
		return r
	}
	missing := t.unknown(root, c.Permissions)
	if c.Op == fsm.RemoveLinks && len(missing) > 0 {
		return refusal(fsm.PermissionNotFound)
	}
	if r := t.createsPermissions(root, c.Permissions); r != nil {
		return r
	}
	if t.idsTaken(missing) {
		return refusal(fsm.IDTaken)
	}
	if r := t.room(root, fsm.Usage{fsm.PermissionsQuota: int64(len(missing))}); r != nil {
		return r
	}
	ids := t.named(root, c.Permissions)
	switch c.Op {
	case fsm.AddLinks:
		ids = union(k.permissions, ids)
	case fsm.RemoveLinks:
		ids = without(k.permissions, ids...)
	}
	if t.overfull(k, ids, k.roles) {
		return refusal(fsm.InvalidInput)
	}
	t.resolved(root, c.Permissions)
	k.permissions, k.left.permissions = ids, nil
	return &fsm.PermissionList{Permissions: t.shownPermissions(k.permissions)}
}

// namedRoles returns the ids of the roles; ok false: one is unknown.
func (t *Model) namedRoles(root *rootKey, names []string) (ids []string, ok bool) {
	for _, name := range names {
		r := t.roleByName(root, name)
		if r == nil {
			return nil, false
		}
		ids = union(ids, []string{r.id})
	}
	return ids, true
}

// linkKeyRoles is contract 2.3: the lookup of the key first.
func (t *Model) linkKeyRoles(root *rootKey, c *fsm.LinkKeyRoles) fsm.Result {
	k := t.keyByID(root, c.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	if r := need(root, either("api", k.api, "update_key")...); r != nil {
		return r
	}
	if c.Op == fsm.AddLinks {
		if r := need(root, "rbac.*.add_role_to_key"); r != nil {
			return r
		}
	}
	ids, ok := t.namedRoles(root, c.Roles)
	if !ok {
		return refusal(fsm.RoleNotFound)
	}
	switch c.Op {
	case fsm.AddLinks:
		ids = union(k.roles, ids)
	case fsm.RemoveLinks:
		ids = without(k.roles, ids...)
	}
	if t.overfull(k, k.permissions, ids) {
		return refusal(fsm.InvalidInput)
	}
	k.roles, k.left.roles = ids, nil
	list := &fsm.RoleList{}
	for _, name := range t.rolesOf(k) {
		list.Roles = append(list.Roles, t.shownRole(t.roleByName(root, name)))
	}
	return list
}
