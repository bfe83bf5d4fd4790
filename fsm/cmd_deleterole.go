package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteRole deletes a role; keys lose it. See contract 2.5.
type DeleteRole struct {
	Role string // id or name
}

var deleteRoleType = commandType{kind: 34, since: 1, event: RoleDeleted, create: create[DeleteRole]}

func (*DeleteRole) is() *commandType { return &deleteRoleType }

func (c *DeleteRole) fields(v *fields.Visitor) {
	v.String(&c.Role)
}

// plan only marks the role as deleted. It writes no key.
func (c *DeleteRole) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(DeleteRolePermission, "") {
		return nil, DeleteRolePermission.missing("")
	}
	r := s.findRole(root, c.Role)
	if r == nil {
		return nil, refuse(RoleNotFound)
	}
	return func() Result {
		delete(s.roleNames, r.ref())
		r.workspace.roles.remove(r)
		s.beforeChange(r)
		r.name, r.description, r.deleted = "", "", true
		r.give(nil)
		s.afterChange(r)
		return done
	}, nil
}
