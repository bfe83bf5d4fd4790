package fsm

import (
	"slices"
	"strings"
)

// role is a named set of permissions. A deleted one is kept, empty, as a deleted permission is.
type role struct {
	head
	id          string
	name        string
	description string
	slugs       []*slug // by id; may have deleted ones. Replaced as a whole, never changed in place
	workspace   *workspace
	createdAt   int64
	deleted     bool
}

func (r *role) ref() foldedName { return foldedName{r.workspace.id, fold(r.name)} }

// findRoleName finds a live role of the caller's workspace by its name, in any case.
func (s *State) findRoleName(root *rootKey, name string) *role {
	return s.roleNames[foldedName{root.workspace.id, fold(name)}]
}

// findRoleID finds a live role of the caller's workspace by id.
func (s *State) findRoleID(root *rootKey, id string) *role {
	if r := s.roles[id]; r != nil && !r.deleted && r.workspace == root.workspace {
		return r
	}
	return nil
}

// findRole finds a live role of the caller's workspace by id, else by name.
func (s *State) findRole(root *rootKey, ref string) *role {
	if r := s.findRoleID(root, ref); r != nil {
		return r
	}
	return s.findRoleName(root, ref)
}

// findRoles resolves a list of names in which names may repeat, in the order in which lists are kept.
func (s *State) findRoles(root *rootKey, names []string) ([]*role, *Refusal) {
	var list []*role
	for _, name := range names {
		r := s.findRoleName(root, name)
		if r == nil {
			return nil, &Refusal{Code: RoleNotFound, Detail: "The role '" + name + "' does not exist"}
		}
		list = append(list, r)
	}
	return sortedRoles(list), nil
}

// sortedRoles sorts a list by id, in place, and drops what repeats or was deleted.
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

func (s *State) addRole(r *role) {
	s.roles[r.id] = r
	s.roleNames[r.ref()] = r
	r.workspace.roles.insert(r)
	s.added(r)
}

// createRole says no to callers without a permission before it says that the name is taken: see contract 1.13.
func (s *State) createRole(root *rootKey, c *CreateRole) Result {
	if !root.may(createRolePermission, "") {
		return createRolePermission.missing("")
	}
	if len(c.Permissions) > 0 && !root.may(addPermissionToRolePermission, "") {
		return addPermissionToRolePermission.missing("")
	}
	plan := s.planSlugs(root, c.Permissions)
	if refusal := plan.permitted(root); refusal != nil {
		return refusal
	}
	if s.findRoleName(root, c.Name) != nil {
		return refuse(RoleExists)
	}
	if s.roles[c.ID] != nil {
		return refuse(IDTaken)
	}
	if refusal := s.free(plan); refusal != nil {
		return refusal
	}
	s.addRole(&role{
		id: c.ID, name: c.Name, description: c.Description, slugs: s.carryOut(plan), workspace: root.workspace, createdAt: s.clock,
	})
	return &Created{ID: c.ID}
}

func (s *State) setRolePermissions(root *rootKey, c *SetRolePermissions) Result {
	if refusal := root.needs(addPermissionToRolePermission, removePermissionFromRolePermission); refusal != nil {
		return refusal
	}
	plan := s.planSlugs(root, c.Permissions)
	if refusal := plan.permitted(root); refusal != nil {
		return refusal
	}
	r := s.findRoleID(root, c.RoleID)
	if r == nil {
		return refuse(RoleNotFound)
	}
	if refusal := s.free(plan); refusal != nil {
		return refusal
	}
	list := s.carryOut(plan)
	s.change(r)
	r.slugs = list
	s.changed(r)
	return &PermissionList{Permissions: showSlugs(list)}
}

// deleteRole takes a role from all keys by marking it; no key is written.
func (s *State) deleteRole(root *rootKey, c *DeleteRole) Result {
	if !root.may(deleteRolePermission, "") {
		return deleteRolePermission.missing("")
	}
	r := s.findRole(root, c.Role)
	if r == nil {
		return refuse(RoleNotFound)
	}
	delete(s.roleNames, r.ref())
	r.workspace.roles.remove(r)
	s.change(r)
	r.name, r.description, r.slugs, r.deleted = "", "", nil, true
	s.changed(r)
	return done
}

func (s *State) getRole(root *rootKey, q *GetRole) Result {
	if !root.may(readRolePermission, "") {
		return readRolePermission.missing("")
	}
	r := s.findRole(root, q.Role)
	if r == nil {
		return refuse(RoleNotFound)
	}
	shown := r.show()
	return &shown
}

func (s *State) listRoles(root *rootKey, q *ListRoles) Result {
	if !root.may(readRolePermission, "") {
		return readRolePermission.missing("")
	}
	wanted := newSought(q.Search)
	list, next := search(&root.workspace.roles, Page{Limit: q.Limit, Cursor: q.Cursor}, func(r *role) bool {
		return wanted.in(r.id, r.name, r.description)
	}, (*role).show)
	return &RoleList{Roles: list, Next: next}
}

func (r *role) show() Role {
	return Role{ID: r.id, Name: r.name, Description: r.description, Permissions: showSlugs(r.slugs)}
}

// showRoles shows the live roles of a list, by name.
func showRoles(list []*role) []Role {
	var shown []Role
	for _, r := range list {
		if !r.deleted {
			shown = append(shown, r.show())
		}
	}
	slices.SortFunc(shown, func(r, q Role) int { return strings.Compare(r.Name, q.Name) })
	return shown
}
