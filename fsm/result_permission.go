package fsm

import "github.com/creditd/creditd/fsm/fields"

// Permission is what permissions.getPermission shows.
type Permission struct{ ID, Name, Slug, Description string }

var permissionResultType = resultType{kind: 30, since: 1, create: createResult[Permission]}

func (*Permission) is() *resultType { return &permissionResultType }

func (r *Permission) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.String(&r.Slug)
	v.String(&r.Description)
}

// PermissionList is a list of permissions, or a page of one.
type PermissionList struct {
	Permissions []Permission
	Next        string // id of the first one of the next page; empty: no more
}

var permissionListResultType = resultType{kind: 32, since: 1, answers: true, create: createResult[PermissionList]}

func (*PermissionList) is() *resultType { return &permissionListResultType }

func (r *PermissionList) fields(v *fields.Visitor) {
	fields.List(v, &r.Permissions, (*Permission).fields)
	v.String(&r.Next)
}

// Role is what permissions.getRole shows.
type Role struct {
	ID          string
	Name        string
	Description string
	Permissions []Permission // by slug
}

var roleResultType = resultType{kind: 31, since: 1, create: createResult[Role]}

func (*Role) is() *resultType { return &roleResultType }

func (r *Role) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.String(&r.Description)
	fields.List(v, &r.Permissions, (*Permission).fields)
}

// RoleList is a list of roles, or a page of one.
type RoleList struct {
	Roles []Role
	Next  string // id of the first one of the next page; empty: no more
}

var roleListResultType = resultType{kind: 33, since: 1, answers: true, create: createResult[RoleList]}

func (*RoleList) is() *resultType { return &roleListResultType }

func (r *RoleList) fields(v *fields.Visitor) {
	fields.List(v, &r.Roles, (*Role).fields)
	v.String(&r.Next)
}
