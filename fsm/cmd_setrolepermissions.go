package fsm

import "github.com/creditd/creditd/fsm/fields"

// SetRolePermissions replaces the permissions of a role. See contract 2.5.
type SetRolePermissions struct {
	RoleID      string
	Permissions []PermissionRef
}

var setRolePermissionsType = commandType{kind: 35, since: 1, event: RoleUpdated, create: create[SetRolePermissions]}

func (*SetRolePermissions) is() *commandType { return &setRolePermissionsType }

func (c *SetRolePermissions) fields(v *fields.Visitor) {
	v.String(&c.RoleID)
	fields.List(v, &c.Permissions, (*PermissionRef).fields)
}

func (c *SetRolePermissions) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if refusal := root.requires(AddPermissionToRolePermission, RemovePermissionFromRolePermission); refusal != nil {
		return nil, refusal
	}
	plan := s.planPermissions(root, c.Permissions)
	if refusal := plan.permitted(root); refusal != nil {
		return nil, refusal
	}
	r := s.findRoleID(root, c.RoleID)
	if r == nil {
		return nil, refuse(RoleNotFound)
	}
	if refusal := s.checkPermissionIDs(plan); refusal != nil {
		return nil, refusal
	}
	list := plan.list()
	if refusal := s.boundRole(r.permissions, list); refusal != nil {
		return nil, refusal
	}
	if refusal := root.workspace.room(Usage{PermissionsQuota: plan.adds()}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.createPlanned(plan)
		s.beforeChange(r)
		s.giveRole(r, list)
		s.afterChange(r)
		return &PermissionList{Permissions: showPermissions(list)}
	}, nil
}
