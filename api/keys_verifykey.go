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
	Permissions schema.Unsupported    `json:"permissions"`
	Ratelimits  schema.Unsupported    `json:"ratelimits"`
	MigrationID string                `json:"migrationId" schema:"maxLength=256"`
}

type cost struct {
	Cost int64 `json:"cost" schema:"required,minimum=0,maximum=1000000000000"`
}

// verifyKey serves keys.verifyKey, docs/contract.md 3. It is the path that must be fast: no step of it does work per request that
// can be done once.
func verifyKey(c *call, req verifyKeyRequest) (any, error) {
	verification := &fsm.VerifyKey{Hash: mint.Hash(string(req.Key)), Cost: req.Credits.Or(cost{1}).Cost}
	v, err := execute[*fsm.Verdict](c, migrating(req, verification))
	if err != nil {
		return nil, err
	}
	c.api.metrics.verified(v.Outcome)
	return verdict{v}, nil
}

// migrating makes the verification one that may find the key under its hash in another system, if the request says so.
func migrating(req verifyKeyRequest, v *fsm.VerifyKey) fsm.Command {
	if req.MigrationID == "" {
		return v
	}
	hash, start, ok := mint.Prefixed(string(req.Key))
	if !ok {
		return v
	}
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
}

// verdict shows a verification as docs/contract.md 3.7 says.
type verdict struct{ *fsm.Verdict }

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
		b = append(b, '}')
	}
	return append(b, '}')
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
