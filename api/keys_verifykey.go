package api

import (
	"strconv"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type verifyKeyRequest struct {
	Key         secretKey             `json:"key" schema:"required"`
	Credits     schema.Optional[cost] `json:"credits"`
	Tags        []string              `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"` // validated, and without effect
	Permissions string                `json:"permissions" schema:"minLength=1,maxLength=1000"`             // a query
	Ratelimits  []ratelimitCheck      `json:"ratelimits" schema:"maxItems=50"`
	MigrationID string                `json:"migrationId" schema:"maxLength=256"`
}

type cost struct {
	Cost int64 `json:"cost" schema:"required,minimum=0,maximum=1000000000000"`
}

// verifyKey is keys.verifyKey, docs/contract.md 3. This path must be fast: no step does work per request that can be done once.
func verifyKey() *endpoint {
	return write("keys.verifyKey", about{
		summary: "Verify a key and debit its credits, in one step",
		text: "A key that is not valid is an answer, not an error: 200 with `valid` false and the reason in `code`. A denial debits nothing. " +
			"Without `credits` the cost is 1; a cost of 0 debits nothing. `credits` of the answer is the remaining balance, and is left out when " +
			"nothing limits the key. `permissions` is a query such as `documents.read AND (documents.write OR admin)`. `ratelimits` names rate " +
			"limits of the key or its identity, or brings its own with `limit` and `duration`. Rate limits with `autoApply` are always checked. " +
			"`migrationId` finds a migrated key by the hash of a part of it. A key that does not have the form of that migration's keys is a 400.",
		needs:     []need{forOne(fsm.VerifyKeyPermission).silently()},
		needsNote: "Without it, the code is `NOT_FOUND`.",
		example:   `{"key":"` + exampleSecret + `","credits":{"cost":5},"tags":["path=/v1/charge"]}`,
		// A key that does not exist is a code, not a refusal. A named rate limit that does not exist is a refusal.
		refuses: []fsm.RefusalCode{fsm.QuerySyntax, fsm.PreconditionFailed, fsm.KeyMalformed},
	}, func(c *call, req verifyKeyRequest) (verdict, error) {
		v, err := execute[*fsm.Verdict](c, verifyCommand(req, new(fsm.VerifyKey)))
		if err != nil {
			return verdict{}, err
		}
		c.api.metrics.verified(v.Code)
		c.code = verdictCodes[v.Code]
		return verdict{v}, nil
	})
}

// verifyCommand makes the command, in v.
func verifyCommand(req verifyKeyRequest, v *fsm.VerifyKey) fsm.Command {
	*v = fsm.VerifyKey{
		Hash: mint.Hash(string(req.Key)), Cost: req.Credits.Or(cost{1}).Cost, Query: req.Permissions,
		Ratelimits: ratelimitChecks(req.Ratelimits),
	}
	return migrating(req, v)
}

// migrating makes a verification that may find the key by its hash in another system, if the request says so. Whether the key has to have
// the form of that system, the ledger knows.
func migrating(req verifyKeyRequest, v *fsm.VerifyKey) fsm.Command {
	if req.MigrationID == "" {
		return v
	}
	hash, start, _ := mint.Prefixed(string(req.Key))
	return &fsm.VerifyMigrated{Verify: *v, MigrationID: req.MigrationID, Hash: hash, Start: start}
}

// verdictCodes are the codes of docs/contract.md 3.2.
var verdictCodes = [...]string{
	fsm.Valid:         "VALID",
	fsm.NotFound:      "NOT_FOUND",
	fsm.Disabled:      "DISABLED",
	fsm.Expired:       "EXPIRED",
	fsm.Forbidden:     "FORBIDDEN",
	fsm.UsageExceeded: "USAGE_EXCEEDED",
	fsm.NotPermitted:  "INSUFFICIENT_PERMISSIONS",
	fsm.RateLimited:   "RATE_LIMITED",
}

// verdict shows a verification as docs/contract.md 3.7 says.
type verdict struct{ *fsm.Verdict }

// verifyKeyData describes what appendJSON writes.
type verifyKeyData struct {
	Valid       bool               `json:"valid"`
	Code        string             `json:"code" doc:"VALID, NOT_FOUND, DISABLED, EXPIRED, FORBIDDEN, INSUFFICIENT_PERMISSIONS, RATE_LIMITED or USAGE_EXCEEDED."`
	KeyID       string             `json:"keyId,omitempty"`
	Enabled     bool               `json:"enabled,omitempty"`
	Credits     int64              `json:"credits,omitempty" doc:"The remaining balance. Left out when nothing limits the key."`
	Name        string             `json:"name,omitempty"`
	Meta        schema.Object      `json:"meta,omitempty"`
	Expires     *int64             `json:"expires,omitempty"`
	Identity    *verdictIdentity   `json:"identity,omitempty"`
	Permissions []string           `json:"permissions,omitempty"`
	Roles       []string           `json:"roles,omitempty"`
	Ratelimits  []verdictRatelimit `json:"ratelimits,omitempty" doc:"The rate limits that were checked."`
}

type verdictIdentity struct {
	ID         string         `json:"id"`
	ExternalID string         `json:"externalId"`
	Meta       schema.Object  `json:"meta,omitempty"`
	Ratelimits []ratelimitOut `json:"ratelimits,omitempty" doc:"Without those that a rate limit of the key replaces."`
}

type verdictRatelimit struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Limit     int64  `json:"limit"`
	Duration  int64  `json:"duration"`
	AutoApply bool   `json:"autoApply"`
	Reset     int64  `json:"reset"`
	Remaining int64  `json:"remaining"`
	Exceeded  bool   `json:"exceeded"`
}

// Shape is the type that describes what appendJSON writes.
func (verdict) Shape() any { return verifyKeyData{} }

func (v verdict) appendJSON(b []byte) []byte {
	b = append(b, `{"valid":`...)
	b = strconv.AppendBool(b, v.Code == fsm.Valid)
	b = append(b, `,"code":"`...)
	b = append(b, verdictCodes[v.Code]...)
	b = append(b, '"')
	if v.Code == fsm.NotFound {
		return append(b, '}')
	}
	b = append(b, `,"keyId":`...)
	b = appendString(b, v.KeyID)
	b = append(b, `,"enabled":`...)
	b = strconv.AppendBool(b, v.Enabled)
	if v.Limited {
		b = append(b, `,"credits":`...)
		b = strconv.AppendInt(b, v.Credits, 10)
	}
	if v.Name != "" {
		b = append(b, `,"name":`...)
		b = appendString(b, v.Name)
	}
	b = appendMeta(b, v.Meta)
	if v.Expires != fsm.Never {
		b = append(b, `,"expires":`...)
		b = strconv.AppendInt(b, v.Expires, 10)
	}
	if i := v.Identity; i != nil {
		b = append(b, `,"identity":{"id":`...)
		b = appendString(b, i.ID)
		b = append(b, `,"externalId":`...)
		b = appendString(b, i.ExternalID)
		b = appendMeta(b, i.Meta)
		b = appendRatelimits(b, i.Ratelimits)
		b = append(b, '}')
	}
	if a := v.Access; a != nil {
		b = appendStrings(b, `,"permissions":`, a.Permissions)
		b = appendStrings(b, `,"roles":`, a.Roles)
	}
	b = appendRatelimitStates(b, v.Ratelimits)
	return append(b, '}')
}

// appendStrings appends a list after its name, unless it is empty.
func appendStrings(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, name...)
	separator := byte('[')
	for _, s := range list {
		b = appendString(append(b, separator), s)
		separator = ','
	}
	return append(b, ']')
}
