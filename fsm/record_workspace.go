package fsm

import "github.com/creditd/creditd/fsm/fields"

// WorkspaceRecord is a workspace at rest.
type WorkspaceRecord struct {
	ID        string
	Name      string
	CreatedAt int64
	Enabled   bool
	Quotas    Quotas // since ledger version 3
	nextWorkspace
}

var workspaceRecordType = recordType{kind: WorkspaceKind, since: 1, newest: max(3, nextVersion), create: createRecord[WorkspaceRecord]}

func (*WorkspaceRecord) is() *recordType { return &workspaceRecordType }

// Key names the record.
func (r *WorkspaceRecord) Key() RecordKey { return RecordKey{WorkspaceKind, r.ID} }

func (r *WorkspaceRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Enabled)
	if v.Added(3, r.Quotas != Quotas{}) {
		r.Quotas.fields(v)
	}
	r.nextWorkspace.fields(v)
}

// RootKeyRecord is a root key at rest.
type RootKeyRecord struct {
	ID          string
	Hash        Hash
	Name        string
	WorkspaceID string
	Permissions []string // in byte order
	CreatedAt   int64
	Expires     int64
	Enabled     bool
}

var rootKeyRecordType = recordType{kind: RootKeyKind, since: 1, create: createRecord[RootKeyRecord]}

func (*RootKeyRecord) is() *recordType { return &rootKeyRecordType }

// Key names the record.
func (r *RootKeyRecord) Key() RecordKey { return RecordKey{RootKeyKind, r.ID} }

func (r *RootKeyRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	r.Hash.fields(v)
	v.String(&r.Name)
	v.String(&r.WorkspaceID)
	v.Strings(&r.Permissions)
	v.Int(&r.CreatedAt)
	v.Int(&r.Expires)
	v.Bool(&r.Enabled)
}
