package fsm

// Hash is the SHA-256 of a full key string. It is all the ledger ever knows of a secret.
type Hash [32]byte

// Never is the expiry of something that does not expire.
const Never int64 = 1<<63 - 1

// Batch is the content of one log entry.
type Batch struct {
	// Stamp is the leader's wall clock when it proposed the entry, in Unix milliseconds. Log time never runs backwards:
	// Apply uses the larger of it and the previous log time.
	Stamp int64
	// Index is the log index of the entry. It is not part of the entry: whoever applies it knows.
	Index uint64
	// MaxOutcomes bounds the outcomes that are kept for calls with idempotency keys, where a large one counts as many; 0: no bound. The
	// leader's own setting.
	MaxOutcomes uint64
	Calls       []Call
}

// Call is one command and the root key in whose name it is sent.
type Call struct {
	// Actor is the hash of the caller's root key. Zero for commands of the cluster itself.
	Actor   Hash
	Command Command
	Ticket  Ticket
	// Origin is for commands that leave an audit entry: see EventOf. Others are sent without one, to keep them short.
	Origin *Origin
	Once   *Idempotency // nil: the call stands for itself
}

// Ticket identifies a call, so that a node may send it again after any failure and it takes effect once. The zero ticket promises
// nothing.
type Ticket struct {
	Session uint64
	Seq     uint64 // counts the session's calls
	Below   uint64 // every call with a smaller number was answered or given up; at most Seq
}

// Command is a change that a caller asks for. The set is closed: each type is listed in this file.
type Command interface{ isCommand() }

// Bootstrap gives an empty ledger its identity: the cluster id, the first workspace and the first root key. On a ledger that
// has them it changes nothing, so every new leader may send it. Sent by the cluster itself, never for a client.
type Bootstrap struct {
	ClusterID     string
	WorkspaceID   string
	WorkspaceName string
	RootKeyID     string
	RootKeyHash   Hash
}

// CreateWorkspace adds a tenant. See contract 7.2.
type CreateWorkspace struct {
	ID   string
	Name string
}

// CreateRootKey adds a credential for the management API. See contract 7.2.
type CreateRootKey struct {
	ID          string
	Hash        Hash
	Name        string
	WorkspaceID string // empty: the caller's
	Permissions []string
	Expires     int64 // Unix ms, or Never
}

// CreateAPI adds an API and its keyspace. See contract 2.2.
type CreateAPI struct {
	ID         string
	KeyspaceID string
	Name       string
}

// CreateKey adds a key to an API. See contract 2.3.
type CreateKey struct {
	ID          string
	Hash        Hash
	Start       string
	APIID       string
	Name        string
	ExternalID  string // empty: no identity
	IdentityID  string // id for the identity if ExternalID is new
	Meta        string // compact JSON object, or empty
	Expires     int64  // Unix ms, or Never
	Enabled     bool
	Recoverable bool
	Credits     NewCredits
	Permissions []SlugRef
	Roles       []string // names
	Ratelimits  []Ratelimit
}

// UpdateKey changes fields of a key; each absent field is kept. See contract 2.3 and 4.5.
type UpdateKey struct {
	KeyID       string
	Name        Field[string]
	ExternalID  Field[string]
	IdentityID  string // id for the identity if ExternalID is new
	Meta        Field[string]
	Expires     Field[int64]
	Enabled     Field[bool]
	Credits     CreditsChange
	Permissions Field[[]SlugRef]
	Roles       Field[[]string]    // names
	Ratelimits  Field[[]Ratelimit] // replaces the list
}

// DeleteKey hides a key, or with Permanent removes its record. See contract 2.3.
type DeleteKey struct {
	KeyID     string
	Permanent bool
}

// UpdateKeyCredits sets, increments or decrements the balance of a key. See contract 4.4.
type UpdateKeyCredits struct {
	KeyID  string
	Change BalanceChange
}

// UpdateIdentityCredits does the same for the balance of an identity. See contract 4.4.
type UpdateIdentityCredits struct {
	Identity string // id or externalId
	Change   BalanceChange
}

// CreateIdentity adds an identity. See contract 2.4.
type CreateIdentity struct {
	ID         string
	ExternalID string
	Meta       string
	Credits    NewCredits
	Policy     Policy
	Ratelimits []Ratelimit
}

// UpdateIdentity changes fields of an identity; each absent field is kept. See contract 2.4 and 4.6.
type UpdateIdentity struct {
	Identity   string // id or externalId
	Meta       Field[string]
	Credits    CreditsChange
	Policy     Field[Policy]
	Ratelimits Field[[]Ratelimit] // replaces the list
}

// DeleteIdentity ends an identity; its keys stay, without it. See contract 2.4.
type DeleteIdentity struct {
	Identity string // id or externalId
}

// VerifyKey asks whether a key is valid and may spend Cost credits, and spends them if so. See contract 3.
type VerifyKey struct {
	Hash       Hash
	Cost       int64
	Ratelimits []RatelimitCheck
	Query      string // of permissions; empty: none. See contract 3.5
}

// OpenSession begins a session, and is answered with Opened. A second copy opens another session, which nobody uses. Sent by nodes for
// themselves, never for a client.
type OpenSession struct {
	Node string // who asks
}

func (*Bootstrap) isCommand()             {}
func (*OpenSession) isCommand()           {}
func (*CreateWorkspace) isCommand()       {}
func (*CreateRootKey) isCommand()         {}
func (*CreateAPI) isCommand()             {}
func (*CreateKey) isCommand()             {}
func (*UpdateKey) isCommand()             {}
func (*DeleteKey) isCommand()             {}
func (*UpdateKeyCredits) isCommand()      {}
func (*UpdateIdentityCredits) isCommand() {}
func (*CreateIdentity) isCommand()        {}
func (*UpdateIdentity) isCommand()        {}
func (*DeleteIdentity) isCommand()        {}
func (*VerifyKey) isCommand()             {}

func (*DeleteAPI) isCommand()       {}
func (*RevokeRootKey) isCommand()   {}
func (*UpdateWorkspace) isCommand() {}
func (*RerollKey) isCommand()       {}
func (*CreateMigration) isCommand() {}
func (*MigrateKeys) isCommand()     {}
func (*VerifyMigrated) isCommand()  {}

func (*VerifyKeys) isCommand() {}

// SlugRef is a permission that a command names by its slug.
type SlugRef struct {
	Slug string
	ID   string // id for the permission if the slug is new and the command may make it
}

// CreatePermission adds a permission. See contract 2.5.
type CreatePermission struct{ ID, Name, Slug, Description string }

// DeletePermission ends a permission; roles and keys lose it. See contract 2.5.
type DeletePermission struct {
	Permission string // id or slug
}

// CreateRole adds a role, and those of its permissions that are new. See contract 2.5.
type CreateRole struct {
	ID          string
	Name        string
	Description string
	Permissions []SlugRef
}

// DeleteRole ends a role; keys lose it. See contract 2.5.
type DeleteRole struct {
	Role string // id or name
}

// SetRolePermissions replaces the permissions of a role. See contract 2.5.
type SetRolePermissions struct {
	RoleID      string
	Permissions []SlugRef
}

// LinkOp says what a list of permissions or roles is to a key.
type LinkOp uint8

// The operations.
const (
	AddLinks LinkOp = iota + 1
	RemoveLinks
	SetLinks
)

// LinkKeyPermissions adds, removes or sets the direct permissions of a key. See contract 2.3.
type LinkKeyPermissions struct {
	KeyID       string
	Op          LinkOp
	Permissions []SlugRef
}

// LinkKeyRoles adds, removes or sets the roles of a key. See contract 2.3.
type LinkKeyRoles struct {
	KeyID string
	Op    LinkOp
	Roles []string // names
}

func (*CreatePermission) isCommand()   {}
func (*DeletePermission) isCommand()   {}
func (*CreateRole) isCommand()         {}
func (*DeleteRole) isCommand()         {}
func (*SetRolePermissions) isCommand() {}
func (*LinkKeyPermissions) isCommand() {}
func (*LinkKeyRoles) isCommand()       {}

// Rate limits: limit.go and namespace.go.

func (*Limit) isCommand()          {}
func (*SetOverride) isCommand()    {}
func (*DeleteOverride) isCommand() {}

// FieldState is one of the three states of an optional field: see contract 1.8.
type FieldState uint8

// The states of a field.
const (
	Absent FieldState = iota // keep as it is
	Null                     // clear
	Given                    // set to the value
)

// Field is a three-state field of a change.
type Field[T any] struct {
	State FieldState
	Value T // meaningful only when Given
}

// Set makes a field that sets v.
func Set[T any](v T) Field[T] { return Field[T]{State: Given, Value: v} }

// Clear makes a field that clears.
func Clear[T any]() Field[T] { return Field[T]{State: Null} }

// Interval is how often a refill is due.
type Interval uint8

// The intervals. NoRefill is the interval of a record without a refill.
const (
	NoRefill Interval = iota
	Daily
	Monthly
)

// Refill is a refill as a caller states it and as a record keeps it; a kept one has passed the rules of contract 4.2.
type Refill struct {
	Interval Interval
	Amount   int64 // credits, at least 1
	Day      uint8 // day of the month 1..31 for Monthly, 0: none given
}

// NewCredits are the credits of something being created. The zero value is unlimited.
type NewCredits struct {
	Limited   bool
	Remaining int64 // credits, when Limited
	Refill    Refill
}

// CreditsChange is the three-state credits object of an update. The zero value changes nothing.
type CreditsChange struct {
	Unlimited bool // credits: null
	Remaining Field[int64]
	Refill    Field[Refill]
}

// BalanceOp is the operation of updateCredits.
type BalanceOp uint8

// The operations.
const (
	SetBalance BalanceOp = iota + 1
	Increment
	Decrement
)

// BalanceChange is one updateCredits request. Limited false stands for a null or absent value.
type BalanceChange struct {
	Op      BalanceOp
	Limited bool
	Value   int64
}

// Policy says which credit record pays when a key has an identity. See contract 4.8.
type Policy uint8

// The policies.
const (
	IdentityPays Policy = iota // the identity's record, else the key's
	KeyPays                    // the key's record, else the identity's
	BothPay                    // every record there is, all or nothing
)
