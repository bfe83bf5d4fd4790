package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// errorBase precedes the path of every error type.
const errorBase = "https://unkey.com/docs/errors/"

// statusClientClosedRequest is for the metrics: the client did not wait for the answer.
const statusClientClosedRequest = 499

// errorType is one row of the error catalogue, docs/contract.md 1.6.
type errorType struct {
	status int
	path   string // of the error type, below errorBase
	title  string
	detail string // if the problem has none of its own
}

var (
	invalidInput = errorType{http.StatusBadRequest, "unkey/application/invalid_input", "Bad Request",
		"The request is not valid"}
	malformedAuthorization = errorType{http.StatusBadRequest, "unkey/authentication/malformed", "Bad Request",
		"The Authorization header must have the form 'Bearer <root key>'"}
	bodyUnreadable = errorType{http.StatusBadRequest, "user/bad_request/request_body_unreadable", "Bad Request",
		"The request body could not be read"}
	requestTimeout = errorType{http.StatusRequestTimeout, "user/bad_request/request_timeout", "Request Timeout",
		"The request took too long. It was not executed"}
	outcomeUnknown = errorType{http.StatusRequestTimeout, "user/bad_request/request_timeout", "Request Timeout",
		"The outcome of the request is unknown. It may or may not have been executed"}
	bodyTooLarge = errorType{http.StatusRequestEntityTooLarge, "user/bad_request/request_body_too_large", "Request Entity Too Large",
		"The request body is too large"}
	tooManyRequests = errorType{http.StatusTooManyRequests, "user/too_many_requests/workspace_rate_limited", "Too Many Requests",
		"The server is overloaded. Try again later"}
	clientClosedRequest = errorType{statusClientClosedRequest, "user/bad_request/client_closed_request", "Client Closed Request",
		"The client closed the connection before the answer was ready"}
	unexpectedError = errorType{http.StatusInternalServerError, "unkey/application/unexpected_error", "Internal Server Error",
		"An unexpected error occurred. The request was not executed"}
	serviceUnavailable = errorType{http.StatusServiceUnavailable, "unkey/application/service_unavailable", "Service Unavailable",
		"The cluster has no leader, or this node is not ready. Try again later"}
)

// refusals maps each refusal code of the ledger to an error.
var refusals = [...]errorType{
	fsm.RootKeyNotFound: {http.StatusUnauthorized, "unkey/authentication/key_not_found", "Unauthorized",
		"The root key is not valid"},
	fsm.RootKeyDisabled: {http.StatusForbidden, "unkey/authorization/key_disabled", "Key is disabled",
		"The root key is disabled"},
	fsm.RootKeyExpired: {http.StatusForbidden, "unkey/authorization/forbidden", "Forbidden",
		"The root key has expired"},
	fsm.WorkspaceDisabled: {http.StatusForbidden, "unkey/authorization/workspace_disabled", "Workspace is disabled",
		"The workspace is disabled"},
	fsm.WorkspaceNotFound: {http.StatusNotFound, "unkey/data/workspace_not_found", "Not Found",
		"The workspace does not exist"},
	fsm.InsufficientPermissions: {http.StatusForbidden, "unkey/authorization/insufficient_permissions", "Insufficient Permissions",
		"The root key does not have the permission for this operation"},
	fsm.KeyNotFound: {http.StatusNotFound, "unkey/data/key_not_found", "Not Found",
		"The key does not exist"},
	fsm.APINotFound: {http.StatusNotFound, "unkey/data/api_not_found", "Not Found",
		"The API does not exist"},
	fsm.IdentityNotFound: {http.StatusNotFound, "unkey/data/identity_not_found", "Not Found",
		"The identity does not exist"},
	fsm.IdentityExists: {http.StatusConflict, "unkey/data/identity_already_exists", "Conflicting Resource",
		"An identity with this externalId already exists"},
	fsm.InvalidInput: invalidInput,
	fsm.PreconditionFailed: {http.StatusPreconditionFailed, "unkey/application/precondition_failed", "Precondition Failed",
		"A precondition of the operation is not met"},
	// Only after every new id was taken several times in a row.
	fsm.IDTaken: unexpectedError,

	fsm.APIProtected: {http.StatusPreconditionFailed, "unkey/application/protected_resource", "Resource is protected",
		"The API is protected from deletion"},
	fsm.MigrationNotFound: {http.StatusNotFound, "unkey/data/migration_not_found", "Not Found",
		"The migration does not exist"},
	fsm.MigrationExists: {http.StatusConflict, "unkey/data/migration_already_exists", "Conflicting Resource",
		"A migration with this id already exists"},

	fsm.PermissionNotFound: {http.StatusNotFound, "unkey/data/permission_not_found", "Not Found",
		"The permission does not exist"},
	fsm.RoleNotFound: {http.StatusNotFound, "unkey/data/role_not_found", "Not Found",
		"The role does not exist"},
	fsm.PermissionExists: {http.StatusConflict, "unkey/data/permission_already_exists", "Conflicting Resource",
		"A permission with this slug already exists"},
	fsm.RoleExists: {http.StatusConflict, "unkey/data/role_already_exists", "Conflicting Resource",
		"A role with this name already exists"},
	fsm.QuerySyntax: {http.StatusBadRequest, "user/bad_request/permissions_query_syntax_error", "Bad Request",
		"The permission query has a syntax error"},

	fsm.RatelimitNamespaceNotFound: {http.StatusNotFound, "unkey/data/ratelimit_namespace_not_found", "Not Found",
		"The rate limit namespace does not exist"},
	fsm.RatelimitNamespaceGone: {http.StatusGone, "unkey/data/ratelimit_namespace_gone", "Resource Gone",
		"The rate limit namespace was deleted"},
	fsm.RatelimitOverrideNotFound: {http.StatusNotFound, "unkey/data/ratelimit_override_not_found", "Not Found",
		"The identifier has no rate limit override"},

	fsm.AnswerTooLarge: {http.StatusRequestEntityTooLarge, bodyTooLarge.path, bodyTooLarge.title,
		"The answer would be too large, so this verification was not executed. Send it in another request"},
	fsm.IdempotencyConflict: {http.StatusConflict, "unkey/application/idempotency_conflict", "Conflicting Resource",
		"The Idempotency-Key was used with a different request. For endpoints that return a secret, a different root key makes a different request"},
	fsm.IdempotencyStoreFull: {http.StatusTooManyRequests, tooManyRequests.path, tooManyRequests.title,
		"The workspace's share of the idempotency store is full. Try again later, or send the request without the header"},
	fsm.QuotaExceeded: {http.StatusTooManyRequests, tooManyRequests.path, tooManyRequests.title,
		"The workspace has used up one of its quotas"},
	fsm.LedgerVersionTooLow: {http.StatusPreconditionFailed, "unkey/application/precondition_failed", "Precondition Failed",
		"The request needs a newer ledger version than the cluster has"},
	fsm.KeyMalformed: {http.StatusBadRequest, malformedAuthorization.path, malformedAuthorization.title,
		"Keys of this migration have the form <prefix>_<short token>_<long token>, and this key does not"},
}

// faults maps each kind of fault to an error: no answer was reached.
var faults = [...]errorType{
	fault.Internal:    unexpectedError,
	fault.Overloaded:  tooManyRequests,
	fault.Unavailable: serviceUnavailable,
	fault.TimedOut:    requestTimeout,
	fault.Unknown:     outcomeUnknown,
	fault.TooLarge:    bodyTooLarge,
	fault.Invalid:     invalidInput,
	fault.DiskFull:    serviceUnavailable,
	fault.Unsupported: refusals[fsm.PreconditionFailed],
}

// problem is an error on its way to the client.
type problem struct {
	*errorType
	detail     string             // empty: that of the type
	violations []schema.Violation // the errors array; nil is sent as []
	validation bool               // found while validating against the schema, or a crash: always sent as application/json
	unknown    bool               // the command may have been executed
	retryAfter int64              // seconds; 0: the default
	cause      error              // for the log only
}

func (p *problem) Error() string { return p.title + ": " + p.text() }

func (p *problem) text() string {
	if p.detail != "" {
		return p.detail
	}
	return p.errorType.detail
}

// listsErrors reports whether the error object has an errors array: docs/contract.md 1.5.
func (p *problem) listsErrors() bool {
	switch p.status {
	case http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, statusClientClosedRequest:
		return true
	}
	return false
}

// refused is a refusal of the ledger as an error, so that handlers return one kind of failure.
type refused fsm.Refusal

func (r *refused) Error() string { return "refused: " + refusals[r.Code].title }

// invalid is the violation of a rule that the schema cannot express.
func invalid(detail string) *problem { return &problem{errorType: &invalidInput, detail: detail} }

// problemOf decides how a failure is answered.
func (c *call) problemOf(err error) *problem {
	switch err := err.(type) {
	case *problem:
		return err
	case *refused:
		return err.problem()
	}
	f := c.faultOf(err)
	if f.Kind == fault.Internal {
		c.logFailure("request failed", "cause", err.Error())
	}
	if c.abandoned() {
		return &problem{errorType: &clientClosedRequest}
	}
	p := &problem{errorType: &faults[f.Kind], unknown: f.Kind == fault.Unknown, cause: err}
	if f.Kind != fault.Internal && f.Detail != "" {
		p.detail = f.Detail
	}
	return p
}

func (r *refused) problem() *problem {
	return &problem{errorType: &refusals[r.Code], detail: r.detail(), retryAfter: r.RetryAfter}
}

// detail words a refusal; empty leaves it to the error type.
func (r *refused) detail() string {
	switch {
	case r.Detail != "":
		return r.Detail
	case len(r.Accepted) == 1:
		return "Missing permission: '" + r.Accepted[0] + "'"
	case len(r.Accepted) > 1:
		return "Missing one of these permissions: " + strings.Join(r.Accepted, " or ")
	}
	return ""
}

// faultOf says what an error means for the request. A question has no unknown outcome. A command has one, unless the error says that
// it had no effect.
func (c *call) faultOf(err error) *fault.Error {
	var f *fault.Error
	if !errors.As(err, &f) {
		c.logFailure("the node failed without saying how", "cause", err.Error())
		f = fault.Wrap(fault.Unknown, "", err)
	}
	if f.Kind != fault.Unknown || c.proposed {
		return f
	}
	if errors.Is(c.ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.TimedOut, "", err)
	}
	return fault.Wrap(fault.Unavailable, "", err)
}

// mayHaveExecuted reports whether a command that failed may have had an effect.
func mayHaveExecuted(err error) bool {
	if _, no := err.(*refused); no {
		return false
	}
	var f *fault.Error
	return !errors.As(err, &f) || f.Kind == fault.Unknown
}

// abandoned reports whether the client hung up.
func (c *call) abandoned() bool {
	return errors.Is(c.gin.Request.Context().Err(), context.Canceled) || errors.Is(c.ctx.Err(), context.Canceled)
}

// crash answers a panic. A proposed command may have been executed, and a 5xx would make clients repeat it.
func (c *call) crash() *problem {
	if c.proposed {
		return &problem{errorType: &outcomeUnknown, validation: true, unknown: true}
	}
	return &problem{errorType: &unexpectedError, validation: true}
}
