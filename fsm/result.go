package fsm

// Result is the ledger's answer to a command or a query. The set is closed: each type is listed in this file. An answer that
// says no is a result like any other; see package fault for "no answer was reached".
type Result interface{ isResult() }

// Done is the answer that has nothing to tell.
type Done struct{}

// Created names what was created.
type Created struct{ ID string }

// Refusal is the answer to a command that was not carried out. Nothing changed.
type Refusal struct {
	Code Code
	// Detail is for people. Empty: the code says it all.
	Detail string
	// Accepted are the permission strings of which one is needed, for InsufficientPermissions.
	Accepted []string
	// RetryAfter is in how many seconds another attempt may do better, for TooManyOutcomes.
	RetryAfter int64
}

// Code is the reason of a refusal. The HTTP layer maps each to its status and type in one table.
type Code uint8

// The codes. Their numbers travel between nodes: append only.
const (
	RootKeyNotFound Code = iota + 1
	RootKeyDisabled
	RootKeyExpired
	WorkspaceDisabled
	WorkspaceNotFound
	InsufficientPermissions
	KeyNotFound
	APINotFound
	IdentityNotFound
	IdentityExists
	InvalidInput
	PreconditionFailed
	// IDTaken: a generated id or key hash exists already. The proposer makes another and tries again.
	IDTaken

	// APIProtected: the API may not be deleted.
	APIProtected      Code = 20
	MigrationNotFound Code = 21
	MigrationExists   Code = 22

	// SessionExpired: the session of the call's ticket is not known any more, or has gone past the call. Not carried out now; a copy
	// that was sent before may have been. For nodes, never shown to a client.
	SessionExpired Code = 70
)

// The codes about permissions and roles.
const (
	PermissionNotFound Code = iota + 30
	RoleNotFound
	PermissionExists
	RoleExists
	// QuerySyntax: the permission query of a verification does not parse.
	QuerySyntax
)

// The codes of rate limits.
const (
	RatelimitNamespaceNotFound Code = iota + 50
	RatelimitNamespaceGone
	RatelimitOverrideNotFound
)

// AnswerTooLarge: a part of a request was not carried out, because the answer has no room for it.
const AnswerTooLarge Code = 80

// The codes of idempotency keys.
const (
	// IdempotencyConflict: the key was used with another request.
	IdempotencyConflict Code = iota + 81
	// TooManyOutcomes: there is no room for another outcome.
	TooManyOutcomes
)

// KeyMalformed: a key is asked for under its hash in another system, and has not the form that keys of that system have.
const KeyMalformed Code = 95

// Known reports whether there is such a code.
func (c Code) Known() bool {
	return c >= RootKeyNotFound && c <= IDTaken || c >= APIProtected && c <= MigrationExists || c >= PermissionNotFound && c <= QuerySyntax ||
		c >= RatelimitNamespaceNotFound && c <= RatelimitOverrideNotFound || c == SessionExpired || c >= AnswerTooLarge && c <= TooManyOutcomes ||
		c == KeyMalformed
}

// Credits are a balance as shown to a caller. Limited false is unlimited.
type Credits struct {
	Limited   bool
	Remaining int64
	Refill    Refill
}

// API is what apis.getApi shows.
type API struct{ ID, Name string }

// Identity is what identities.getIdentity shows.
type Identity struct {
	ID         string
	ExternalID string
	Meta       string
	Credits    Credits
	Policy     Policy
	Ratelimits []Ratelimit
}

// Key is what keys.getKey shows.
type Key struct {
	ID          string
	Start       string
	Name        string
	Meta        string
	Enabled     bool
	CreatedAt   int64
	UpdatedAt   int64 // 0: never
	LastUsedAt  int64 // 0: never
	Expires     int64 // Unix ms, or Never
	Credits     Credits
	Identity    *Identity // nil: none
	Permissions []string  // slugs, direct ones and those of roles, each once, sorted
	Roles       []string  // names, sorted
	Ratelimits  []Ratelimit
}

// Outcome is the code of a verification. See contract 3.2.
type Outcome uint8

// The outcomes. Their numbers travel between nodes: append only.
const (
	Valid Outcome = iota + 1
	NotFound
	Disabled
	Expired
	Forbidden
	UsageExceeded
)

// NotPermitted: the permission query is not satisfied.
const NotPermitted Outcome = 10

// RateLimited: a rate limit does not let the verification through.
const RateLimited Outcome = 20

// Known reports whether there is such an outcome.
func (o Outcome) Known() bool {
	return o >= Valid && o <= UsageExceeded || o == NotPermitted || o == RateLimited
}

// Verdict is the answer of keys.verifyKey. See contract 3.7 for what each outcome shows.
type Verdict struct {
	Outcome  Outcome
	Enabled  bool
	Limited  bool  // whether Credits is shown
	Credits  int64 // remaining credits of the record that pays
	Expires  int64 // Unix ms, or Never
	KeyID    string
	Name     string
	Meta     string
	Identity *VerdictIdentity // nil: none
	Access   *VerdictAccess   // nil: none
	// Ratelimits are those that were checked, in no particular order.
	Ratelimits []RatelimitState
}

// VerdictIdentity is the identity as a verification shows it.
type VerdictIdentity struct {
	ID, ExternalID, Meta string
	Ratelimits           []Ratelimit // unless the key has one of the same name
}

// VerdictAccess is what a key may do as a verification shows it: see Key.
type VerdictAccess struct{ Permissions, Roles []string }

// Permission is what permissions.getPermission shows.
type Permission struct{ ID, Name, Slug, Description string }

// Role is what permissions.getRole shows.
type Role struct {
	ID          string
	Name        string
	Description string
	Permissions []Permission // by slug
}

// PermissionList is a list of permissions, or a page of one.
type PermissionList struct {
	Permissions []Permission
	Next        string // id of the first one of the next page; empty: no more
}

// RoleList is a list of roles, or a page of one.
type RoleList struct {
	Roles []Role
	Next  string // id of the first one of the next page; empty: no more
}

func (*Permission) isResult()     {}
func (*Role) isResult()           {}
func (*PermissionList) isResult() {}
func (*RoleList) isResult()       {}

func (*Done) isResult()     {}
func (*Created) isResult()  {}
func (*Refusal) isResult()  {}
func (*Credits) isResult()  {}
func (*API) isResult()      {}
func (*Identity) isResult() {}
func (*Key) isResult()      {}
func (*Verdict) isResult()  {}
func (*Verdicts) isResult() {}
func (*Repeated) isResult() {}
func (*Rerolled) isResult() {}
func (*Opened) isResult()   {}

func (*Keys) isResult()       {}
func (*Identities) isResult() {}
func (*RootKeys) isResult()   {}
func (*Workspaces) isResult() {}
func (*Start) isResult()      {}
func (*Migrated) isResult()   {}

// Rate limits: limit.go and namespace.go.

func (*Limited) isResult()   {}
func (*Override) isResult()  {}
func (*Overrides) isResult() {}

func (*AuditEntries) isResult() {}

func refuse(code Code) *Refusal { return &Refusal{Code: code} }

func invalid(detail string) *Refusal { return &Refusal{Code: InvalidInput, Detail: detail} }

var done = &Done{}
