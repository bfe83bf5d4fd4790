package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeletePermission deletes a permission; roles and keys lose it. See contract 2.5.
type DeletePermission struct {
	Permission string // id or slug
}

var deletePermissionType = commandType{kind: 32, since: 1, event: PermissionDeleted, create: create[DeletePermission]}

func (*DeletePermission) is() *commandType { return &deletePermissionType }

func (c *DeletePermission) fields(v *fields.Visitor) {
	v.String(&c.Permission)
}

// plan ends the permission. It writes no role and no key.
func (c *DeletePermission) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(DeletePermissionPermission, "") {
		return nil, DeletePermissionPermission.missing("")
	}
	p := s.findPermission(root, c.Permission)
	if p == nil {
		return nil, refuse(PermissionNotFound)
	}
	return func() Result {
		s.endPermission(p)
		return done
	}, nil
}
