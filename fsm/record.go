package fsm

// Kind is the kind of a record. The numbers are on disk, and records are restored in their order: a kind comes after those that
// its records refer to. There are gaps for new ones.
type Kind uint8

// The kinds.
const (
	MetaKind           Kind = 1
	WorkspaceKind      Kind = 10
	RootKeyKind        Kind = 20
	APIKind            Kind = 30
	MigrationKind      Kind = 35
	PermissionKind     Kind = 40
	RoleKind           Kind = 50
	IdentityKind       Kind = 60
	KeyKind            Kind = 70
	IdentityCreditKind Kind = 80
	KeyCreditKind      Kind = 90
	SessionKind        Kind = 140
	AuditKind          Kind = 160
	OutcomeKind        Kind = 150
)

// The kinds of rate limits.
const (
	NamespaceKind Kind = 100
	OverrideKind  Kind = 110
	WindowKind    Kind = 120
)

// RecordKey names a record. It stays the same for the record's whole life.
type RecordKey struct {
	Kind Kind
	ID   string
}

// Record is what is kept on disk of one thing in the ledger: plain values, in one of the types of this file.
type Record interface {
	Key() RecordKey
	fold(h *hasher)
}

// MetaRecord is the one record of the ledger itself.
type MetaRecord struct {
	ClusterID string
	Clock     int64
	Books     Books
	Sessions  uint64 // ever opened; their ids count up to it
}

// WorkspaceRecord is a workspace at rest.
type WorkspaceRecord struct {
	ID        string
	Name      string
	CreatedAt int64
	Enabled   bool
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

// IdentityRecord is an identity at rest.
type IdentityRecord struct {
	ID          string
	ExternalID  string
	WorkspaceID string
	Meta        string
	Policy      Policy
	CreatedAt   int64
	Deleted     bool
	Ratelimits  []Ratelimit // by name
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
	Permissions []string    // ids of the direct ones, in byte order; deleted ones may be among them
	Roles       []string    // ids, likewise
	Ratelimits  []Ratelimit // by name
}

// CreditRecord is a balance at rest.
type CreditRecord struct {
	Owner      string
	Identity   bool // whether the owner is an identity
	Remaining  int64
	Refill     Refill
	RefilledAt int64
	Considered int64 // day since 1970-01-01
}

// SessionRecord is a session at rest.
type SessionRecord struct {
	ID       uint64
	Node     string
	LastSeen int64
	Base     uint64
	Results  []SessionResult // in ascending order of Seq, all at or above Base
}

// SessionResult is a result that was not acknowledged yet.
type SessionResult struct {
	Seq    uint64
	Index  uint64
	Result Result
}

// PermissionRecord is a permission at rest. A deleted one keeps only what its first two and last two fields say.
type PermissionRecord struct {
	ID          string
	WorkspaceID string
	Name        string
	Slug        string
	Description string
	CreatedAt   int64
	Deleted     bool
}

// RoleRecord is a role at rest. A deleted one keeps only what its first two and last two fields say.
type RoleRecord struct {
	ID          string
	WorkspaceID string
	Name        string
	Description string
	Permissions []string // ids, in byte order; deleted ones may be among them
	CreatedAt   int64
	Deleted     bool
}

// Key names the record.
func (r *PermissionRecord) Key() RecordKey { return RecordKey{PermissionKind, r.ID} }

// Key names the record.
func (r *RoleRecord) Key() RecordKey { return RecordKey{RoleKind, r.ID} }

func (p *slug) key() RecordKey { return RecordKey{PermissionKind, p.id} }
func (r *role) key() RecordKey { return RecordKey{RoleKind, r.id} }

func (p *slug) record() Record {
	return &PermissionRecord{
		ID: p.id, WorkspaceID: p.workspace.id, Name: p.name, Slug: p.text, Description: p.description,
		CreatedAt: p.createdAt, Deleted: p.deleted,
	}
}

func (r *role) record() Record {
	return &RoleRecord{
		ID: r.id, WorkspaceID: r.workspace.id, Name: r.name, Description: r.description, Permissions: slugIDs(r.slugs),
		CreatedAt: r.createdAt, Deleted: r.deleted,
	}
}

// Key names the record.
func (r *MetaRecord) Key() RecordKey { return RecordKey{MetaKind, ""} }

// Key names the record.
func (r *WorkspaceRecord) Key() RecordKey { return RecordKey{WorkspaceKind, r.ID} }

// Key names the record.
func (r *RootKeyRecord) Key() RecordKey { return RecordKey{RootKeyKind, r.ID} }

// Key names the record.
func (r *APIRecord) Key() RecordKey { return RecordKey{APIKind, r.ID} }

// Key names the record.
func (r *IdentityRecord) Key() RecordKey { return RecordKey{IdentityKind, r.ID} }

// Key names the record.
func (r *KeyRecord) Key() RecordKey { return RecordKey{KeyKind, r.ID} }

// Key names the record.
func (r *CreditRecord) Key() RecordKey { return creditKey(r.Owner, r.Identity) }

// Key names the record. A migration's id is one of its workspace's, and a workspace's id has no slash.
func (r *MigrationRecord) Key() RecordKey { return migrationKey(r.WorkspaceID, r.ID) }

func migrationKey(workspaceID, id string) RecordKey {
	return RecordKey{MigrationKind, workspaceID + "/" + id}
}

// Key names the record.
func (r *SessionRecord) Key() RecordKey { return sessionKey(r.ID) }

// Key names the record. A workspace's id has no slash.
func (r *AuditRecord) Key() RecordKey { return RecordKey{AuditKind, r.recordID()} }

// Key names the record.
func (r *OutcomeRecord) Key() RecordKey {
	return RecordKey{OutcomeKind, outcomeID(r.At, r.Index, r.WorkspaceID, r.Name)}
}

// Key names the record.
func (r *NamespaceRecord) Key() RecordKey { return RecordKey{NamespaceKind, r.ID} }

// Key names the record.
func (r *OverrideRecord) Key() RecordKey { return RecordKey{OverrideKind, r.ID} }

// Key names the record.
func (r *WindowRecord) Key() RecordKey { return RecordKey{WindowKind, r.name().recordID()} }

func creditKey(owner string, identity bool) RecordKey {
	if identity {
		return RecordKey{IdentityCreditKind, owner}
	}
	return RecordKey{KeyCreditKind, owner}
}

// node is a record in memory. key names it, record copies it, and is nil for a credit record that is not present.
type node interface {
	header() *head
	key() RecordKey
	record() Record
	digest() Digest
}

func (w *workspace) key() RecordKey { return RecordKey{WorkspaceKind, w.id} }
func (r *rootKey) key() RecordKey   { return RecordKey{RootKeyKind, r.id} }
func (a *api) key() RecordKey       { return RecordKey{APIKind, a.id} }
func (i *identity) key() RecordKey  { return RecordKey{IdentityKind, i.id} }
func (k *key) key() RecordKey       { return RecordKey{KeyKind, k.id} }
func (c *credit) key() RecordKey    { return creditKey(c.owner, c.identity) }

func (m *migration) key() RecordKey { return migrationKey(m.workspace.id, m.id) }

func (w *workspace) record() Record {
	return &WorkspaceRecord{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: w.enabled}
}

func (r *rootKey) record() Record {
	return &RootKeyRecord{
		ID: r.id, Hash: r.hash, Name: r.name, WorkspaceID: r.workspace.id, Permissions: r.sorted(),
		CreatedAt: r.createdAt, Expires: r.expires, Enabled: r.enabled,
	}
}

func (a *api) record() Record {
	return &APIRecord{
		ID: a.id, KeyspaceID: a.keyspaceID, Name: a.name, WorkspaceID: a.workspace.id, CreatedAt: a.createdAt,
		Protected: a.protected, Deleted: a.deleted,
	}
}

func (i *identity) record() Record {
	return &IdentityRecord{
		ID: i.id, ExternalID: i.externalID, WorkspaceID: i.workspace.id, Meta: i.meta, Policy: i.policy,
		CreatedAt: i.createdAt, Deleted: i.deleted, Ratelimits: i.ratelimits,
	}
}

func (k *key) record() Record {
	r := k.plain()
	return &r
}

// plain is record without the allocation.
func (k *key) plain() KeyRecord {
	r := KeyRecord{
		ID: k.id, Hash: k.hash, Start: k.start, APIID: k.api.id, Name: k.name(), Meta: k.meta(),
		CreatedAt: k.createdAt, UpdatedAt: k.updatedAt, LastUsedAt: k.lastUsedAt, Expires: k.expires,
		Enabled: k.enabled, Deleted: k.deleted, Ratelimits: k.ratelimits(),
	}
	if k.identity != nil {
		r.IdentityID = k.identity.id
	}
	if k.details != nil && k.details.access != nil {
		r.Permissions, r.Roles = slugIDs(k.details.access.slugs), roleIDs(k.details.access.roles)
	}
	return r
}

func (c *credit) record() Record {
	if !c.present {
		return nil
	}
	r := c.plain()
	return &r
}

// plain is record without the allocation, for a record that is present.
func (c *credit) plain() CreditRecord {
	return CreditRecord{
		Owner: c.owner, Identity: c.identity, Remaining: c.remaining, Refill: c.refill,
		RefilledAt: c.refilledAt, Considered: c.considered,
	}
}
