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
)

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
}

// Key is what keys.getKey shows.
type Key struct {
	ID         string
	Start      string
	Name       string
	Meta       string
	Enabled    bool
	CreatedAt  int64
	UpdatedAt  int64 // 0: never
	LastUsedAt int64 // 0: never
	Expires    int64 // Unix ms, or Never
	Credits    Credits
	Identity   *Identity // nil: none
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
}

// VerdictIdentity is the identity as a verification shows it.
type VerdictIdentity struct{ ID, ExternalID, Meta string }

func (*Done) isResult()     {}
func (*Created) isResult()  {}
func (*Refusal) isResult()  {}
func (*Credits) isResult()  {}
func (*API) isResult()      {}
func (*Identity) isResult() {}
func (*Key) isResult()      {}
func (*Verdict) isResult()  {}

func (*Keys) isResult()       {}
func (*Identities) isResult() {}
func (*RootKeys) isResult()   {}
func (*Workspaces) isResult() {}
func (*Start) isResult()      {}
func (*Migrated) isResult()   {}

func refuse(code Code) *Refusal { return &Refusal{Code: code} }

func invalid(detail string) *Refusal { return &Refusal{Code: InvalidInput, Detail: detail} }

var done = &Done{}
