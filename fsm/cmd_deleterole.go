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

// plan ends the role. It writes no key.
func (c *DeleteRole) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(DeleteRolePermission, "") {
		return nil, DeleteRolePermission.missing("")
	}
	r := s.findRole(root, c.Role)
	if r == nil {
		return nil, refuse(RoleNotFound)
	}
	return func() Result {
		s.endRole(r)
		return done
	}, nil
}
