// Package records is the format in which creditd gives away and takes over what it stores: see docs/records.md. It knows no ledger. The
// endpoints records.importRecords and records.exportRecords speak it, and every tool that moves data in or out.
//
// A file has one JSON object per line: a [Header], any number of [Record]s, and an [End]. [NewReader] and [NewWriter] read and write it. The
// Go types are the only description of the format: the decoder, the JSON Schema and the documentation follow from them.
package records

import "github.com/creditd/creditd/api/schema"

// Format and Version name the format. A version only adds optional fields and kinds.
const (
	Format        = "creditd-records"
	Version int64 = 1
)

// Header is the first line.
type Header struct {
	Format  string `json:"format" schema:"required,enum=creditd-records"`
	Version int64  `json:"version" schema:"required,minimum=1,maximum=1"`
	// WorkspaceID is empty in the export of a cluster: there each record names its workspace.
	WorkspaceID string `json:"workspaceId,omitempty" schema:"minLength=1,maxLength=255" doc:"Absent: the export of a cluster, whose records name their workspaces."`
}

// End is the last line. A file without it is incomplete.
type End struct {
	Records int64  `json:"records" schema:"required,minimum=0" doc:"The number of lines between header and end."`
	SHA256  string `json:"sha256" schema:"required,minLength=64,maxLength=64" doc:"Hexadecimal hash over those lines, line feeds included."`
}

// Record is one thing. Exactly one of the pointers is set. Things come before those that refer to them, in the order of these fields, and
// things of one kind in the order of their ids.
type Record struct {
	// WorkspaceID is only for operators: the workspace of the record if it is not that of the root key.
	WorkspaceID string `json:"workspaceId,omitempty" schema:"minLength=1,maxLength=255" doc:"Whose record it is. Absent: the workspace of the root key."`

	Workspace  *Workspace  `json:"workspace,omitempty"`
	RootKey    *RootKey    `json:"rootKey,omitempty"`
	API        *API        `json:"api,omitempty"`
	Migration  *Migration  `json:"migration,omitempty"`
	Permission *Permission `json:"permission,omitempty"`
	Role       *Role       `json:"role,omitempty"`
	Identity   *Identity   `json:"identity,omitempty"`
	Key        *Key        `json:"key,omitempty"`
	Namespace  *Namespace  `json:"namespace,omitempty"`
	Override   *Override   `json:"override,omitempty"`
	Balance    *Balance    `json:"balance,omitempty"`
}

// ID names a thing. Clients may choose ids when they import.
type ID string

// SchemaTag implements schema.Described.
func (ID) SchemaTag() string { return `schema:"minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_]+$"` }

// Time is a time in Unix milliseconds.
type Time int64

// SchemaTag implements schema.Described.
func (Time) SchemaTag() string {
	return `schema:"minimum=0,maximum=4102444800000" doc:"Unix milliseconds."`
}

// Hash is a SHA-256 in standard base64. A key of a migration whose algorithm is github.com/seamapi/prefixed-api-key may have the 64
// hexadecimal digits of the other system instead.
type Hash string

// SchemaTag implements schema.Described.
func (Hash) SchemaTag() string {
	return `schema:"minLength=44,maxLength=64" doc:"SHA-256 in standard base64, or 64 hexadecimal digits of a key that waits for its migration."`
}

// Workspace is a tenant. Only operators import it.
type Workspace struct {
	ID        ID      `json:"id" schema:"required"`
	Name      string  `json:"name" schema:"required,minLength=1,maxLength=255"`
	CreatedAt Time    `json:"createdAt" schema:"required"`
	Enabled   bool    `json:"enabled" schema:"required"`
	Limits    *Limits `json:"limits,omitempty"`
}

// Limits are the quotas of a workspace. An absent one does not exist.
type Limits struct {
	Keys              *int64 `json:"keys,omitempty" schema:"minimum=0"`
	Identities        *int64 `json:"identities,omitempty" schema:"minimum=0"`
	APIs              *int64 `json:"apis,omitempty" schema:"minimum=0"`
	Permissions       *int64 `json:"permissions,omitempty" schema:"minimum=0"`
	Roles             *int64 `json:"roles,omitempty" schema:"minimum=0"`
	Namespaces        *int64 `json:"namespaces,omitempty" schema:"minimum=0"`
	Overrides         *int64 `json:"overrides,omitempty" schema:"minimum=0"`
	Windows           *int64 `json:"windows,omitempty" schema:"minimum=0"`
	Outcomes          *int64 `json:"outcomes,omitempty" schema:"minimum=0"`
	RequestsPerSecond *int64 `json:"requestsPerSecond,omitempty" schema:"minimum=1"`
}

// RootKey is a credential of the management API. Only operators export and import it.
type RootKey struct {
	ID          ID       `json:"id" schema:"required"`
	Hash        Hash     `json:"hash" schema:"required"`
	Name        string   `json:"name" schema:"required,maxLength=255"`
	Permissions []string `json:"permissions,omitempty" schema:"maxItems=2000" items:"minLength=1,maxLength=512"`
	CreatedAt   Time     `json:"createdAt" schema:"required"`
	Expires     *Time    `json:"expires,omitempty"`
	Enabled     bool     `json:"enabled" schema:"required"`
}

// API groups keys.
type API struct {
	ID         ID     `json:"id" schema:"required"`
	Name       string `json:"name" schema:"required,minLength=1,maxLength=256"`
	KeyspaceID ID     `json:"keyspaceId,omitempty" doc:"Absent: made from the id."`
	CreatedAt  Time   `json:"createdAt" schema:"required"`
	Protected  bool   `json:"deleteProtection,omitempty"`
}

// Migration is a named set of keys that came from another system.
type Migration struct {
	ID        string `json:"id" schema:"required,minLength=3,maxLength=255"`
	Algorithm string `json:"algorithm" schema:"required,enum=sha256|github.com/seamapi/prefixed-api-key"`
	CreatedAt Time   `json:"createdAt" schema:"required"`
}

// Permission is what a customer allows keys to do.
type Permission struct {
	ID          ID     `json:"id" schema:"required"`
	Name        string `json:"name" schema:"required,minLength=1,maxLength=512"`
	Slug        string `json:"slug" schema:"required,minLength=1,maxLength=128,pattern=^[a-zA-Z0-9_:\\-\\.\\*]+$"`
	Description string `json:"description,omitempty" schema:"maxLength=512"`
	CreatedAt   Time   `json:"createdAt" schema:"required"`
}

// Role is a named set of permissions.
type Role struct {
	ID          ID     `json:"id" schema:"required"`
	Name        string `json:"name" schema:"required,minLength=1,maxLength=128"`
	Description string `json:"description,omitempty" schema:"maxLength=512"`
	Permissions []ID   `json:"permissions,omitempty" schema:"maxItems=1000" doc:"Ids."`
	CreatedAt   Time   `json:"createdAt" schema:"required"`
}

// Identity groups the keys of one user.
type Identity struct {
	ID           ID            `json:"id" schema:"required"`
	ExternalID   string        `json:"externalId" schema:"required,minLength=1,maxLength=255"`
	Meta         schema.Object `json:"meta,omitempty" schema:"maxProperties=100"`
	CreditPolicy string        `json:"creditPolicy,omitempty" schema:"enum=identity|key|both" doc:"Absent: identity."`
	Ratelimits   []Ratelimit   `json:"ratelimits,omitempty" schema:"maxItems=50"`
	CreatedAt    Time          `json:"createdAt" schema:"required"`
	Credits      *Credits      `json:"credits,omitempty" doc:"Absent: unlimited."`
}

// Key is a credential of a user, known by its hash.
type Key struct {
	ID          ID            `json:"id" schema:"required"`
	APIID       ID            `json:"apiId" schema:"required"`
	Hash        Hash          `json:"hash" schema:"required"`
	FormerHash  Hash          `json:"formerHash,omitempty" doc:"Of a key that was taken over: the hash that it came with. Same forms as hash."`
	Start       string        `json:"start,omitempty" schema:"maxLength=255" doc:"The first characters, which people may see."`
	IdentityID  ID            `json:"identityId,omitempty"`
	Name        string        `json:"name,omitempty" schema:"maxLength=255"`
	Meta        schema.Object `json:"meta,omitempty" schema:"maxProperties=100"`
	Enabled     bool          `json:"enabled" schema:"required"`
	Expires     *Time         `json:"expires,omitempty" doc:"Absent: never."`
	Permissions []ID          `json:"permissions,omitempty" schema:"maxItems=1000" doc:"Ids."`
	Roles       []ID          `json:"roles,omitempty" schema:"maxItems=100" doc:"Ids."`
	Ratelimits  []Ratelimit   `json:"ratelimits,omitempty" schema:"maxItems=50"`
	CreatedAt   Time          `json:"createdAt" schema:"required"`
	UpdatedAt   Time          `json:"updatedAt,omitempty"`
	LastUsedAt  Time          `json:"lastUsedAt,omitempty"`
	Credits     *Credits      `json:"credits,omitempty" doc:"Absent: unlimited."`
}

// Ratelimit is a rate limit of a key or an identity.
type Ratelimit struct {
	ID        ID     `json:"id" schema:"required"`
	Name      string `json:"name" schema:"required,minLength=1,maxLength=255"`
	Limit     int64  `json:"limit" schema:"required,minimum=1"`
	Duration  int64  `json:"duration" schema:"required,minimum=1000,maximum=31622400000" doc:"Milliseconds."`
	AutoApply bool   `json:"autoApply" schema:"required"`
}

// Namespace groups the overrides of ratelimit.limit.
type Namespace struct {
	ID        ID     `json:"id" schema:"required"`
	Name      string `json:"name" schema:"required,minLength=1,maxLength=512"`
	CreatedAt Time   `json:"createdAt" schema:"required"`
}

// Override replaces limit and duration for the identifiers that it matches.
type Override struct {
	ID          ID     `json:"id" schema:"required"`
	NamespaceID ID     `json:"namespaceId" schema:"required"`
	Identifier  string `json:"identifier" schema:"required,minLength=1,maxLength=512,pattern=^[^*]*([*][^*]*){0,5}$"`
	Limit       int64  `json:"limit" schema:"required,minimum=0"`
	Duration    int64  `json:"duration" schema:"required,minimum=1000,maximum=31622400000" doc:"Milliseconds."`
	CreatedAt   Time   `json:"createdAt" schema:"required"`
}

// Credits are a balance as it stands in its record: a refill that is due and was not given yet is not in it.
type Credits struct {
	Remaining int64   `json:"remaining" schema:"required,minimum=0"`
	Refill    *Refill `json:"refill,omitempty"`
	// RefilledAt is when a refill last raised the balance; 0: never.
	RefilledAt Time `json:"refilledAt,omitempty" doc:"When a refill last raised the balance."`
	// ConsideredAt is a time on the day up to which due refills were decided. Without it, that day is the day of RefilledAt, or else the day
	// of the owner's creation: what was due after it is given with the next use.
	ConsideredAt Time `json:"consideredAt,omitempty" doc:"Refills that were due up to this day (UTC) are decided. Absent: the day of refilledAt, or else of the owner's createdAt. Only with a refill."`
}

// Refill fills a balance up to an amount.
type Refill struct {
	Interval  string `json:"interval" schema:"required,enum=daily|monthly"`
	Amount    int64  `json:"amount" schema:"required,minimum=1"`
	RefillDay int64  `json:"refillDay,omitempty" schema:"minimum=1,maximum=31" doc:"With monthly, and only then."`
}

// Balance is what an owner has in another system now. The ledger knows what the owner had there when it was imported with trackBalances, or
// at the last Balance, and applies the difference. No export has this kind.
type Balance struct {
	KeyID      ID       `json:"keyId,omitempty" doc:"This, or identityId."`
	IdentityID ID       `json:"identityId,omitempty"`
	Credits    *Credits `json:"credits,omitempty" doc:"Absent: unlimited."`
}

// Fields returns the limits in the order of the ledger's kinds of quotas.
func (l *Limits) Fields() [10]**int64 {
	return [...]**int64{
		&l.Keys, &l.Identities, &l.APIs, &l.Permissions, &l.Roles, &l.Namespaces, &l.Overrides, &l.Windows, &l.Outcomes, &l.RequestsPerSecond,
	}
}
