package fsm

import (
	"slices"

	"github.com/creditd/creditd/fsm/fields"
)

// LinkKeyPermissions adds, removes or sets the direct permissions of a key. See contract 2.3.
type LinkKeyPermissions struct {
	KeyID       string
	Op          LinkOp
	Permissions []PermissionRef
}

var linkKeyPermissionsType = commandType{kind: 36, since: 1, event: KeyPermissionsUpdated, create: create[LinkKeyPermissions]}

func (*LinkKeyPermissions) is() *commandType { return &linkKeyPermissionsType }

func (c *LinkKeyPermissions) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	fields.Enum(v, &c.Op, AddLinks, SetLinks)
	fields.List(v, &c.Permissions, (*PermissionRef).fields)
}

// plan executes the three operations on the direct permissions of a key.
func (c *LinkKeyPermissions) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	k, refusal := s.permittedKey(root, c.KeyID, UpdateKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := root.requires(c.Op.forPermissions()...); refusal != nil {
		return nil, refusal
	}
	plan := s.planPermissions(root, c.Permissions)
	if c.Op == RemoveLinks {
		if len(plan.create) > 0 {
			return nil, &Refusal{Code: PermissionNotFound, Detail: "The permission '" + plan.create[0].slug + "' does not exist"}
		}
	} else if refusal := plan.permitted(root); refusal != nil {
		return nil, refusal
	}
	if refusal := s.checkPermissionIDs(plan); refusal != nil {
		return nil, refusal
	}
	list, had := plan.list(), k.access()
	switch c.Op {
	case AddLinks:
		list = sortedPermissions(slices.Concat(had.permissions, list))
	case RemoveLinks:
		removed := list
		list = sortedPermissions(slices.DeleteFunc(slices.Clone(had.permissions), func(p *permission) bool { return hasPermission(removed, p) }))
	}
	if refusal := s.boundKey(had, keyAccess{list, had.roles}); refusal != nil {
		return nil, refusal
	}
	if refusal := root.workspace.room(Usage{PermissionsQuota: plan.adds()}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.createPlanned(plan)
		s.giveKey(k, list, had.roles)
		return &PermissionList{Permissions: showPermissions(list)}
	}, nil
}

// forPermissions lists the permissions that an operation needs besides update_key. See contract 2.3.
func (op LinkOp) forPermissions() []RootPermission {
	switch op {
	case AddLinks:
		return []RootPermission{AddPermissionToKeyPermission}
	case RemoveLinks:
		return []RootPermission{RemovePermissionFromKeyPermission}
	default:
		return []RootPermission{AddPermissionToKeyPermission, RemovePermissionFromKeyPermission}
	}
}
