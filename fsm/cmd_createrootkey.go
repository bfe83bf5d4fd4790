package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateRootKey adds a credential for the management API. See contract 7.2.
type CreateRootKey struct {
	ID          string
	Hash        Hash
	Name        string
	WorkspaceID string // empty: the caller's
	Permissions []string
	Expires     int64     // Unix ms, or Never
	Nonce       ShortHash // since ledger version 3: see Created
}

var createRootKeyType = commandType{kind: 3, since: 1, newest: 3, event: RootKeyCreated, create: create[CreateRootKey]}

func (*CreateRootKey) is() *commandType { return &createRootKeyType }

func (c *CreateRootKey) fields(v *fields.Visitor) {
	v.String(&c.ID)
	c.Hash.fields(v)
	v.String(&c.Name)
	v.String(&c.WorkspaceID)
	v.Strings(&c.Permissions)
	v.Int(&c.Expires)
	visitNonce(&c.Nonce, v)
}

func (c *CreateRootKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(OperateClusterPermission, "") {
		return nil, OperateClusterPermission.missing("")
	}
	target := root.workspace
	if c.WorkspaceID != "" {
		if target = s.workspaces[c.WorkspaceID]; target == nil {
			return nil, refuse(WorkspaceNotFound)
		}
	}
	if s.rootKeys[c.ID] != nil || s.hashTaken(c.Hash) {
		return nil, refuse(IDTaken)
	}
	return func() Result {
		s.addRootKey(&rootKey{
			id: c.ID, hash: c.Hash, name: c.Name, workspace: target, permissions: permissionSet(c.Permissions),
			createdAt: s.clock, expires: c.Expires, enabled: true,
		})
		return &Created{ID: c.ID, Nonce: c.Nonce}
	}, nil
}
