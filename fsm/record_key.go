package fsm

import "github.com/creditd/creditd/fsm/fields"

// APIRecord is an API at rest.
type APIRecord struct {
	ID          string
	KeyspaceID  string
	Name        string
	WorkspaceID string
	CreatedAt   int64
	Protected   bool // deletion is refused
	Deleted     bool
}

var apiRecordType = recordType{kind: APIKind, since: 1, create: createRecord[APIRecord]}

func (*APIRecord) is() *recordType { return &apiRecordType }

// Key names the record.
func (r *APIRecord) Key() RecordKey { return RecordKey{APIKind, r.ID} }

func (r *APIRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.KeyspaceID)
	v.String(&r.Name)
	v.String(&r.WorkspaceID)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Protected)
	v.Bool(&r.Deleted)
}

// KeyRecord is a key at rest.
type KeyRecord struct {
	ID          string
	Hash        Hash
	Start       string
	APIID       string
	IdentityID  string // empty: none
	Name        string
	Meta        string
	CreatedAt   int64
	UpdatedAt   int64
	LastUsedAt  int64
	Expires     int64
	Enabled     bool
	Deleted     bool
	Permissions []string    // ids of the direct ones, in byte order; may contain deleted ones
	Roles       []string    // ids, in byte order; may contain deleted ones
	Ratelimits  []Ratelimit // by name
	// FormerHash came with ledger version 2: the hash that a migrated key had in the other system. Zero: none.
	FormerHash Hash
	// Lost came with ledger version 5: the identity that paid was deleted with its balance, and the key has no other one.
	Lost bool
}

func (r *KeyRecord) info() keyInfo { return keyInfo{name: r.Name, meta: r.Meta} }

func (r *KeyRecord) setInfo(i keyInfo) { r.Name, r.Meta = i.name, i.meta }

var keyRecordType = recordType{kind: KeyKind, since: 1, newest: 5, create: createRecord[KeyRecord]}

func (*KeyRecord) is() *recordType { return &keyRecordType }

// Key names the record.
func (r *KeyRecord) Key() RecordKey { return RecordKey{KeyKind, r.ID} }

func (r *KeyRecord) fields(v *fields.Visitor) {
	r.head(v)
	r.tail(v)
}

// head shows the fields up to the meta: see headHash.
func (r *KeyRecord) head(v *fields.Visitor) {
	v.String(&r.ID)
	r.Hash.fields(v)
	v.String(&r.Start)
	v.String(&r.APIID)
	v.String(&r.IdentityID)
	v.String(&r.Name)
	v.String(&r.Meta)
}

func (r *KeyRecord) tail(v *fields.Visitor) {
	v.Int(&r.CreatedAt)
	v.Int(&r.UpdatedAt)
	v.Int(&r.LastUsedAt)
	v.Int(&r.Expires)
	v.Bool(&r.Enabled)
	v.Bool(&r.Deleted)
	v.Strings(&r.Permissions)
	v.Strings(&r.Roles)
	visitRatelimits(&r.Ratelimits, v)
	if v.Added(2, r.FormerHash != Hash{}) {
		r.FormerHash.fields(v)
	}
	if v.Added(5, r.Lost) {
		v.Bool(&r.Lost)
	}
}

// MigrationRecord is a migration at rest.
type MigrationRecord struct {
	ID          string
	WorkspaceID string
	Algorithm   Algorithm
	CreatedAt   int64
}

var migrationRecordType = recordType{kind: MigrationKind, since: 1, create: createRecord[MigrationRecord]}

func (*MigrationRecord) is() *recordType { return &migrationRecordType }

// Key names the record. A migration's id is unique in its workspace, and a workspace's id has no slash.
func (r *MigrationRecord) Key() RecordKey { return migrationKey(r.WorkspaceID, r.ID) }

func (r *MigrationRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.WorkspaceID)
	r.Algorithm.fields(v)
	v.Int(&r.CreatedAt)
}

func migrationKey(workspaceID, id string) RecordKey {
	return RecordKey{MigrationKind, workspaceID + "/" + id}
}
