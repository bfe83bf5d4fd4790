package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreatePermission adds a permission. See contract 2.5.
type CreatePermission struct{ ID, Name, Slug, Description string }

var createPermissionType = commandType{kind: 31, since: 1, event: PermissionCreated, create: create[CreatePermission]}

func (*CreatePermission) is() *commandType { return &createPermissionType }

func (c *CreatePermission) fields(v *fields.Visitor) {
	v.String(&c.ID)
	v.String(&c.Name)
	v.String(&c.Slug)
	v.String(&c.Description)
}

func (c *CreatePermission) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(CreatePermissionPermission, "") {
		return nil, CreatePermissionPermission.missing("")
	}
	if s.findPermissionSlug(root, c.Slug) != nil {
		return nil, refuse(PermissionExists)
	}
	if s.permissions[c.ID] != nil {
		return nil, refuse(IDTaken)
	}
	if refusal := root.workspace.room(Usage{PermissionsQuota: 1}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.addPermission(&permission{
			id: c.ID, name: c.Name, slug: c.Slug, description: c.Description, workspace: root.workspace, createdAt: s.clock,
		})
		return &Created{ID: c.ID}
	}, nil
}
