package fsm

import "github.com/creditd/creditd/fsm/fields"

// RootKeys is a page of root keys.
type RootKeys struct {
	List []RootKey
	Next string
}

var rootKeysResultType = resultType{kind: 22, since: 1, create: createResult[RootKeys]}

func (*RootKeys) is() *resultType { return &rootKeysResultType }

func (r *RootKeys) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*RootKey).fields)
	v.String(&r.Next)
}

// RootKey is what rootKeys.listRootKeys shows.
type RootKey struct {
	ID          string
	Name        string
	WorkspaceID string
	Permissions []string // in byte order
	CreatedAt   int64
	Expires     int64 // Unix ms, or Never
	Enabled     bool
}

func (r *RootKey) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.String(&r.WorkspaceID)
	v.Strings(&r.Permissions)
	v.Int(&r.CreatedAt)
	v.Int(&r.Expires)
	v.Bool(&r.Enabled)
}

// Workspaces is a page of workspaces.
type Workspaces struct {
	List []Workspace
	Next string
}

var workspacesResultType = resultType{kind: 23, since: 1, newest: 3, create: createResult[Workspaces]}

func (*Workspaces) is() *resultType { return &workspacesResultType }

func (r *Workspaces) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*Workspace).fields)
	v.String(&r.Next)
}

// Workspace is what workspaces.listWorkspaces shows.
type Workspace struct {
	ID        string
	Name      string
	CreatedAt int64
	Enabled   bool

	// Since ledger version 3:
	Quotas Quotas
	Used   Usage
}

func (r *Workspace) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Enabled)
	if v.Added(3, r.Quotas != Quotas{} || r.Used != Usage{}) {
		r.Quotas.fields(v)
		r.Used.fields(v)
	}
}
