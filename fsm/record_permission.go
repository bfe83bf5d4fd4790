package fsm

import "github.com/creditd/creditd/fsm/fields"

// PermissionRecord is a permission at rest. A deleted one keeps only its first two and last two fields.
type PermissionRecord struct {
	ID          string
	WorkspaceID string
	Name        string
	Slug        string
	Description string
	CreatedAt   int64
	Deleted     bool
}

var permissionRecordType = recordType{kind: PermissionKind, since: 1, create: createRecord[PermissionRecord]}

func (*PermissionRecord) is() *recordType { return &permissionRecordType }

// Key names the record.
func (r *PermissionRecord) Key() RecordKey { return RecordKey{PermissionKind, r.ID} }

func (r *PermissionRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.WorkspaceID)
	v.String(&r.Name)
	v.String(&r.Slug)
	v.String(&r.Description)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Deleted)
}

// RoleRecord is a role at rest. A deleted one keeps only its first two and last two fields.
type RoleRecord struct {
	ID          string
	WorkspaceID string
	Name        string
	Description string
	Permissions []string // ids, in byte order; may contain deleted ones
	CreatedAt   int64
	Deleted     bool
}

var roleRecordType = recordType{kind: RoleKind, since: 1, create: createRecord[RoleRecord]}

func (*RoleRecord) is() *recordType { return &roleRecordType }

// Key names the record.
func (r *RoleRecord) Key() RecordKey { return RecordKey{RoleKind, r.ID} }

func (r *RoleRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.WorkspaceID)
	v.String(&r.Name)
	v.String(&r.Description)
	v.Strings(&r.Permissions)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Deleted)
}
