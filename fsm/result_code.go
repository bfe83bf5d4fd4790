package fsm

// RefusalCode is the reason of a refusal. The HTTP layer maps each to its status and type in one table.
type RefusalCode uint8

// The codes. Their numbers travel between nodes: append only.
const (
	RootKeyNotFound RefusalCode = iota + 1
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
	APIProtected      RefusalCode = 20
	MigrationNotFound RefusalCode = 21
	MigrationExists   RefusalCode = 22

	// SessionExpired: the session of the call's ticket is not known any more, or has gone past the call. Not carried out now; a copy
	// that was sent before may have been. For nodes, never shown to a client.
	SessionExpired RefusalCode = 70
)

// The codes about permissions and roles.
const (
	PermissionNotFound RefusalCode = iota + 30
	RoleNotFound
	PermissionExists
	RoleExists
	// QuerySyntax: the permission query of a verification does not parse.
	QuerySyntax
)

// The codes of rate limits.
const (
	RatelimitNamespaceNotFound RefusalCode = iota + 50
	RatelimitNamespaceGone
	RatelimitOverrideNotFound
)

// AnswerTooLarge: a part of a request was not carried out, because the answer has no room for it.
const AnswerTooLarge RefusalCode = 80

// The codes of idempotency keys.
const (
	// IdempotencyConflict: the key was used with another request.
	IdempotencyConflict RefusalCode = iota + 81
	// IdempotencyStoreFull: there is no room for another outcome.
	IdempotencyStoreFull
)

// KeyMalformed: a key is asked for under its hash in another system, and has not the form that keys of that system have.
const KeyMalformed RefusalCode = 95

// LedgerVersionTooLow: the command needs a newer ledger version than the cluster has.
const LedgerVersionTooLow RefusalCode = 100

// Known reports whether there is such a code.
func (c RefusalCode) Known() bool {
	return c >= RootKeyNotFound && c <= IDTaken || c >= APIProtected && c <= MigrationExists || c >= PermissionNotFound && c <= QuerySyntax ||
		c >= RatelimitNamespaceNotFound && c <= RatelimitOverrideNotFound || c == SessionExpired || c >= AnswerTooLarge && c <= IdempotencyStoreFull ||
		c == KeyMalformed || c == LedgerVersionTooLow
}
