package fsm

import (
	"slices"

	"github.com/creditd/creditd/fsm/fields"
)

// LinkKeyRoles adds, removes or sets the roles of a key. See contract 2.3.
type LinkKeyRoles struct {
	KeyID string
	Op    LinkOp
	Roles []string // names
}

var linkKeyRolesType = commandType{kind: 37, since: 1, event: KeyRolesUpdated, create: create[LinkKeyRoles]}

func (*LinkKeyRoles) is() *commandType { return &linkKeyRolesType }

func (c *LinkKeyRoles) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	fields.Enum(v, &c.Op, AddLinks, SetLinks)
	v.Strings(&c.Roles)
}

// plan is the rule of the three operations on the roles of a key.
func (c *LinkKeyRoles) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	k, refusal := s.permittedKey(root, c.KeyID, UpdateKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	if c.Op == AddLinks && !root.may(AddRoleToKeyPermission, "") {
		return nil, AddRoleToKeyPermission.missing("")
	}
	list, refusal := s.findRoles(root, c.Roles)
	if refusal != nil {
		return nil, refusal
	}
	had := k.access()
	switch c.Op {
	case AddLinks:
		list = sortedRoles(slices.Concat(had.roles, list))
	case RemoveLinks:
		removed := list
		list = sortedRoles(slices.DeleteFunc(slices.Clone(had.roles), func(r *role) bool { return slices.Contains(removed, r) }))
	}
	if refusal := s.boundKey(had, keyAccess{had.permissions, list}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.giveKey(k, had.permissions, list)
		return &RoleList{Roles: showRoles(list, s.shownLinks())}
	}, nil
}
