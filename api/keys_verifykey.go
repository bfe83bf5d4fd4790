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
	Tags        []string              `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"` // checked, and of no influence
	Permissions string                `json:"permissions" schema:"minLength=1,maxLength=1000"`             // a query
	Ratelimits  []ratelimitCheck      `json:"ratelimits"`
	MigrationID string                `json:"migrationId" schema:"maxLength=256"`
}

type cost struct {
	Cost int64 `json:"cost" schema:"required,minimum=0,maximum=1000000000000"`
}

// verifyKey serves keys.verifyKey, docs/contract.md 3. It is the path that must be fast: no step of it does work per request that
// can be done once.
func verifyKey(c *call, req verifyKeyRequest) (any, error) {
	v, err := execute[*fsm.Verdict](c, verifyCommand(req, new(fsm.VerifyKey)))
	if err != nil {
		return nil, err
	}
	c.api.metrics.verified(v.Outcome)
	return verdict{v}, nil
}

// verifyCommand makes the command, in v.
func verifyCommand(req verifyKeyRequest, v *fsm.VerifyKey) fsm.Command {
	*v = fsm.VerifyKey{
		Hash: mint.Hash(string(req.Key)), Cost: req.Credits.Or(cost{1}).Cost, Query: req.Permissions,
		Ratelimits: ratelimitChecks(req.Ratelimits),
	}
	return migrating(req, v)
}

// migrating makes the verification one that may find the key under its hash in another system, if the request says so.
func migrating(req verifyKeyRequest, v *fsm.VerifyKey) fsm.Command {
	if req.MigrationID == "" {
		return v
	}
	hash, start, _ := mint.Prefixed(string(req.Key)) // nothing, if the key has another form: whether it has to have this one, the ledger knows
	return &fsm.VerifyMigrated{Verify: *v, MigrationID: req.MigrationID, Hash: hash, Start: start}
}

// outcomes are the codes of docs/contract.md 3.2.
var outcomes = [...]string{
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
	Credits     int64              `json:"credits,omitempty" doc:"What is left. Left out when nothing limits the key."`
	Name        string             `json:"name,omitempty"`
	Meta        schema.Object      `json:"meta,omitempty"`
	Expires     int64              `json:"expires,omitempty"`
	Identity    *verdictIdentity   `json:"identity,omitempty"`
	Permissions []string           `json:"permissions,omitempty"`
	Roles       []string           `json:"roles,omitempty"`
	Ratelimits  []verdictRatelimit `json:"ratelimits,omitempty" doc:"Those that were checked."`
}

type verdictIdentity struct {
	ID         string         `json:"id"`
	ExternalID string         `json:"externalId"`
	Meta       schema.Object  `json:"meta,omitempty"`
	Ratelimits []ratelimitOut `json:"ratelimits,omitempty" doc:"Those that no rate limit of the key replaces."`
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

// Shape tells the OpenAPI document what stands in for a type that encodes itself.
func (verdict) Shape() any { return verifyKeyData{} }

func (v verdict) appendJSON(b []byte) []byte {
	b = append(b, `{"valid":`...)
	b = strconv.AppendBool(b, v.Outcome == fsm.Valid)
	b = append(b, `,"code":"`...)
	b = append(b, outcomes[v.Outcome]...)
	b = append(b, '"')
	if v.Outcome == fsm.NotFound {
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
	if expires := showExpiry(v.Expires); expires != 0 {
		b = append(b, `,"expires":`...)
		b = strconv.AppendInt(b, expires, 10)
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

// appendMeta appends a stored meta, which is JSON already, unless there is nothing in it.
func appendMeta(b []byte, stored string) []byte {
	shown := showMeta(stored)
	if shown == "" {
		return b
	}
	b = append(b, `,"meta":`...)
	return append(b, shown...)
}
