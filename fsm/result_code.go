package fsm

// RefusalCode is the reason for a refusal. The HTTP layer maps each code to a status and an error type in one table.
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
	// IDTaken: a generated id or key hash exists already. The proposer tries again with another one.
	IDTaken

	// APIProtected: the API may not be deleted.
	APIProtected      RefusalCode = 20
	MigrationNotFound RefusalCode = 21
	MigrationExists   RefusalCode = 22

	// SessionExpired: the ledger no longer knows the session of the call id, or the call is below the acknowledged number. This copy was
	// not executed; an earlier one may have been. Clients never see this code.
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

// AnswerTooLarge: a part of a request was not executed, because the answer would be too large.
const AnswerTooLarge RefusalCode = 80

// The codes of idempotency keys.
const (
	// IdempotencyConflict: the key was used with a different request.
	IdempotencyConflict RefusalCode = iota + 81
	// IdempotencyStoreFull: the store has no capacity for another record.
	IdempotencyStoreFull
)

// KeyMalformed: a verification names a migration, and the key does not have the form of that migration's keys.
const KeyMalformed RefusalCode = 95

// QuotaExceeded: the workspace may have no more of something. Since ledger version 3.
const QuotaExceeded RefusalCode = 110

// LedgerVersionTooLow: the command needs a newer ledger version than the cluster has.
const LedgerVersionTooLow RefusalCode = 100

// Known reports whether there is such a code.
func (c RefusalCode) Known() bool {
	return c >= RootKeyNotFound && c <= IDTaken || c >= APIProtected && c <= MigrationExists || c >= PermissionNotFound && c <= QuerySyntax ||
		c >= RatelimitNamespaceNotFound && c <= RatelimitOverrideNotFound || c == SessionExpired || c >= AnswerTooLarge && c <= IdempotencyStoreFull ||
		c == KeyMalformed || c == LedgerVersionTooLow || c == QuotaExceeded
}
