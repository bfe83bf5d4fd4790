package fsm

import (
	"slices"
	"strings"
)

// role is a named set of permissions. A deleted role is kept, empty, like a deleted permission.
type role struct {
	entityHeader
	id          string
	name        string
	description string
	permissions []*permission            // by id; may contain deleted ones. Never changed in place; see give
	members     map[*permission]struct{} // of a long list; nil: the list is short
	workspace   *workspace
	createdAt   int64
	referred
}

// shortList is the length up to which searching a list is cheaper than a set.
const shortList = 64

// give replaces the permissions of a role that is not in the ledger: see giveRole.
func (r *role) give(list []*permission) {
	r.permissions, r.members = list, nil
	if len(list) > shortList {
		r.members = make(map[*permission]struct{}, len(list))
		for _, p := range list {
			r.members[p] = struct{}{}
		}
	}
}

func (r *role) has(p *permission) bool {
	if r.members == nil {
		return slices.Contains(r.permissions, p)
	}
	_, ok := r.members[p]
	return ok
}

func (r *role) ref() foldedName { return foldedName{r.workspace.id, foldCase(r.name)} }

// findRoleName finds a role that is not deleted, in the caller's workspace, by its name in any case.
func (x *access) findRoleName(root *rootKey, name string) *role {
	return x.roleNames[foldedName{root.workspace.id, foldCase(name)}]
}

// findRoleID finds a role that is not deleted, in the caller's workspace, by id.
func (x *access) findRoleID(root *rootKey, id string) *role {
	if r := x.roles[id]; r != nil && !r.deleted && r.workspace == root.workspace {
		return r
	}
	return nil
}

// findRole finds a role that is not deleted, in the caller's workspace, by id or else by name.
func (x *access) findRole(root *rootKey, ref string) *role {
	if r := x.findRoleID(root, ref); r != nil {
		return r
	}
	return x.findRoleName(root, ref)
}

// findRoles resolves a list of names, which may repeat. The result is sorted as lists are stored.
func (x *access) findRoles(root *rootKey, names []string) ([]*role, *Refusal) {
	var list []*role
	for _, name := range names {
		r := x.findRoleName(root, name)
		if r == nil {
			return nil, &Refusal{Code: RoleNotFound, Detail: "The role '" + name + "' does not exist"}
		}
		list = append(list, r)
	}
	return sortedRoles(list), nil
}

// sortedRoles sorts a list by id, in place, without repeated and deleted roles.
func sortedRoles(list []*role) []*role {
	list = slices.DeleteFunc(list, func(r *role) bool { return r.deleted })
	slices.SortFunc(list, func(r, q *role) int { return strings.Compare(r.id, q.id) })
	return slices.Compact(list)
}

func roleIDs(list []*role) []string {
	if len(list) == 0 {
		return nil
	}
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.id
	}
	return ids
}

func (x *access) addRole(r *role) {
	x.roles[r.id] = r
	x.roleNames[r.ref()] = r
	r.workspace.roles.insert(r)
	r.workspace.used[RolesQuota]++
	x.refer(keyAccess{permissions: r.permissions}, 1)
	x.add(r)
}

// giveRole replaces the permissions of a role that is about to change.
func (x *access) giveRole(r *role, list []*permission) {
	had := r.permissions
	r.give(list)
	x.refer(keyAccess{permissions: list}, 1)
	x.refer(keyAccess{permissions: had}, -1)
}

// endRole deletes a role, as endPermission does a permission.
func (x *access) endRole(r *role) {
	delete(x.roleNames, r.ref())
	r.workspace.roles.remove(r)
	if x.version >= fifthRules && r.links == 0 {
		x.removeRole(r)
		return
	}
	x.beforeChange(r)
	r.name, r.description, r.deleted = "", "", true
	x.giveRole(r, nil)
	x.afterChange(r)
	x.bury(r)
}

// removeRole removes a role that no key has.
func (x *access) removeRole(r *role) {
	x.remove(r)
	delete(x.roles, r.id)
	r.workspace.used[RolesQuota]--
	x.refer(keyAccess{permissions: r.permissions}, -1)
	x.graves.drop(r)
}

func (r *role) show() Role {
	return Role{ID: r.id, Name: r.name, Description: r.description, Permissions: showPermissions(r.permissions)}
}

// showRoles shows the roles of a list that are not deleted, sorted by name, with the first so many of their permissions.
func showRoles(list []*role, most int) []Role {
	var shown []Role
	for _, r := range list {
		if r.deleted {
			continue
		}
		n := min(most, len(r.permissions))
		most -= n
		shown = append(shown, Role{ID: r.id, Name: r.name, Description: r.description, Permissions: showPermissions(r.permissions[:n])})
	}
	slices.SortFunc(shown, func(r, q Role) int { return strings.Compare(r.Name, q.Name) })
	return shown
}

func (r *role) key() RecordKey { return RecordKey{RoleKind, r.id} }

func (r *role) record() Record {
	return &RoleRecord{
		ID: r.id, WorkspaceID: r.workspace.id, Name: r.name, Description: r.description, Permissions: permissionIDs(r.permissions),
		CreatedAt: r.createdAt, Deleted: r.deleted,
	}
}

func (r *role) digest() Digest { return digestOf(r.record()) }

func (x *access) loadRole(r *RoleRecord) bool {
	w := x.tenants.workspaces[r.WorkspaceID]
	list, ok := resolve(x.permissions, r.Permissions, func(p *permission) bool { return p.workspace == w })
	if w == nil || !ok || x.roles[r.ID] != nil {
		return false
	}
	loaded := &role{id: r.ID, name: r.Name, description: r.Description, workspace: w, createdAt: r.CreatedAt, referred: referred{deleted: r.Deleted}}
	loaded.give(list)
	if loaded.deleted {
		x.roles[loaded.id] = loaded
		w.used[RolesQuota]++
		x.add(loaded)
		x.graves.review(loaded)
		return len(list) == 0
	}
	if x.roleNames[loaded.ref()] != nil {
		return false
	}
	x.addRole(loaded)
	return true
}

func (r *role) resource() AuditResource { return AuditResource{RoleResource, r.id} }

func (r *role) hides() bool { return slices.ContainsFunc(r.permissions, (*permission).gone) }

// visibleDigest leaves out deleted permissions that are still in the list.
func (r *role) visibleDigest() Digest {
	shown := r.record().(*RoleRecord)
	shown.Permissions = permissionIDs(sortedPermissions(slices.Clone(r.permissions)))
	return digestOf(shown)
}
