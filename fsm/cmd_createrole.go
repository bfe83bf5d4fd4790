package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateRole adds a role, and creates those of its permissions that are new. See contract 2.5.
type CreateRole struct {
	ID          string
	Name        string
	Description string
	Permissions []PermissionRef
}

var createRoleType = commandType{kind: 33, since: 1, event: RoleCreated, create: create[CreateRole]}

func (*CreateRole) is() *commandType { return &createRoleType }

func (c *CreateRole) fields(v *fields.Visitor) {
	v.String(&c.ID)
	v.String(&c.Name)
	v.String(&c.Description)
	fields.List(v, &c.Permissions, (*PermissionRef).fields)
}

// plan checks the caller's permissions before it reports that the name is taken: see contract 1.13.
func (c *CreateRole) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(CreateRolePermission, "") {
		return nil, CreateRolePermission.missing("")
	}
	if len(c.Permissions) > 0 && !root.may(AddPermissionToRolePermission, "") {
		return nil, AddPermissionToRolePermission.missing("")
	}
	plan := s.planPermissions(root, c.Permissions)
	if refusal := plan.permitted(root); refusal != nil {
		return nil, refusal
	}
	if s.findRoleName(root, c.Name) != nil {
		return nil, refuse(RoleExists)
	}
	if s.roles[c.ID] != nil {
		return nil, refuse(IDTaken)
	}
	if refusal := s.checkPermissionIDs(plan); refusal != nil {
		return nil, refusal
	}
	list := plan.list()
	if refusal := s.boundRole(nil, list); refusal != nil {
		return nil, refusal
	}
	if refusal := root.workspace.room(Usage{RolesQuota: 1, PermissionsQuota: plan.adds()}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.createPlanned(plan)
		r := &role{id: c.ID, name: c.Name, description: c.Description, workspace: root.workspace, createdAt: s.clock}
		r.give(list)
		s.addRole(r)
		return &Created{ID: c.ID}
	}, nil
}
