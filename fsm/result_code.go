package fsm

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

// LedgerVersionTooLow: the command needs a newer ledger version than the cluster has.
const LedgerVersionTooLow Code = 100

// Known reports whether there is such a code.
func (c Code) Known() bool {
	return c >= RootKeyNotFound && c <= IDTaken || c >= APIProtected && c <= MigrationExists || c >= PermissionNotFound && c <= QuerySyntax ||
		c >= RatelimitNamespaceNotFound && c <= RatelimitOverrideNotFound || c == SessionExpired || c >= AnswerTooLarge && c <= TooManyOutcomes ||
		c == KeyMalformed || c == LedgerVersionTooLow
}
