package fsmtest

import (
	"sort"
	"strings"

	"github.com/creditd/creditd/fsm"
)

func (t *Model) getPermission(root *rootKey, q *fsm.GetPermission) fsm.Result {
	if r := need(root, "rbac.*.read_permission"); r != nil {
		return r
	}
	if p := t.permissionByRef(root, q.Permission); p != nil {
		shown := p.shown()
		return &shown
	}
	return refusal(fsm.PermissionNotFound)
}

func (t *Model) getRole(root *rootKey, q *fsm.GetRole) fsm.Result {
	if r := need(root, "rbac.*.read_role"); r != nil {
		return r
	}
	if r := t.roleByRef(root, q.Role); r != nil {
		shown := t.shownRole(r)
		return &shown
	}
	return refusal(fsm.RoleNotFound)
}

// listPermissions is contract 1.14.
func (t *Model) listPermissions(root *rootKey, q *fsm.ListPermissions) fsm.Result {
	if r := need(root, "rbac.*.read_permission"); r != nil {
		return r
	}
	list := &fsm.PermissionList{}
	for _, p := range t.permissions {
		if p.workspace == root.workspace && p.id >= q.Cursor && found(q.Search, p.id, p.name, p.slug, p.description) {
			list.Permissions = append(list.Permissions, p.shown())
		}
	}
	sort.Slice(list.Permissions, func(i, j int) bool { return list.Permissions[i].ID < list.Permissions[j].ID })
	if len(list.Permissions) > q.Limit {
		list.Next = list.Permissions[q.Limit].ID
		list.Permissions = list.Permissions[:q.Limit]
	}
	return list
}

// listRoles is contract 1.14.
func (t *Model) listRoles(root *rootKey, q *fsm.ListRoles) fsm.Result {
	if r := need(root, "rbac.*.read_role"); r != nil {
		return r
	}
	list := &fsm.RoleList{}
	for _, r := range t.roles {
		if r.workspace == root.workspace && r.id >= q.Cursor && found(q.Search, r.id, r.name, r.description) {
			list.Roles = append(list.Roles, t.shownRole(r))
		}
	}
	sort.Slice(list.Roles, func(i, j int) bool { return list.Roles[i].ID < list.Roles[j].ID })
	if len(list.Roles) > q.Limit {
		list.Next = list.Roles[q.Limit].ID
		list.Roles = list.Roles[:q.Limit]
	}
	return list
}

func found(search string, texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), strings.ToLower(search)) {
			return true
		}
	}
	return false
}
