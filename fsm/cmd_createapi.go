package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateAPI adds an API and its keyspace. See contract 2.2.
type CreateAPI struct {
	ID         string
	KeyspaceID string
	Name       string
}

var createAPIType = commandType{kind: 4, since: 1, event: APICreated, create: create[CreateAPI]}

func (*CreateAPI) is() *commandType { return &createAPIType }

func (c *CreateAPI) fields(v *fields.Visitor) {
	v.String(&c.ID)
	v.String(&c.KeyspaceID)
	v.String(&c.Name)
}

func (c *CreateAPI) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(CreateAPIPermission, "") {
		return nil, CreateAPIPermission.missing("")
	}
	if s.apis[c.ID] != nil {
		return nil, refuse(IDTaken)
	}
	if refusal := root.workspace.room(Usage{APIsQuota: 1}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.addAPI(&api{id: c.ID, keyspaceID: c.KeyspaceID, name: c.Name, workspace: root.workspace, createdAt: s.clock})
		return &Created{ID: c.ID}
	}, nil
}
