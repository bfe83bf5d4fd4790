package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateWorkspace adds a tenant. See contract 7.2.
type CreateWorkspace struct {
	ID   string
	Name string
}

var createWorkspaceType = commandType{kind: 2, since: 1, event: WorkspaceCreated, create: create[CreateWorkspace]}

func (*CreateWorkspace) is() *commandType { return &createWorkspaceType }

func (c *CreateWorkspace) fields(v *fields.Visitor) {
	v.String(&c.ID)
	v.String(&c.Name)
}

func (c *CreateWorkspace) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(OperateClusterPermission, "") {
		return nil, OperateClusterPermission.missing("")
	}
	if s.workspaces[c.ID] != nil {
		return nil, refuse(IDTaken)
	}
	return func() Result {
		s.addWorkspace(&workspace{id: c.ID, name: c.Name, createdAt: s.clock, enabled: true})
		return &Created{ID: c.ID}
	}, nil
}
