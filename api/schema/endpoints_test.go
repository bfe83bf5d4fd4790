package schema_test

import "github.com/creditd/creditd/api/schema"

// The request bodies of docs/contract.md, described in full: what the package must be able to express.

type keyID string

func (keyID) SchemaTag() string {
	return `schema:"minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

type slug string

func (slug) SchemaTag() string {
	return `schema:"minLength=1,maxLength=128,pattern=^[a-zA-Z0-9_:\\-\\.\\*]+$"`
}

type roleName string

func (roleName) SchemaTag() string { return `schema:"minLength=1,maxLength=128"` }

type externalID string

func (externalID) SchemaTag() string {
	return `schema:"minLength=1,maxLength=255,pattern=^[a-zA-Z0-9_.-]+$"`
}

type expires int64

func (expires) SchemaTag() string { return `schema:"minimum=0,maximum=4102444800000"` }

type ratelimitConfig struct {
	_         schema.Loose
	Name      string `json:"name" schema:"required,minLength=3,maxLength=128"`
	Limit     int64  `json:"limit" schema:"required,minimum=1"`
	Duration  int64  `json:"duration" schema:"required,minimum=1000"`
	AutoApply bool   `json:"autoApply" schema:"required"`
}

type refill struct {
	Interval  string `json:"interval" schema:"required,enum=daily|monthly"`
	Amount    int64  `json:"amount" schema:"required,minimum=1"`
	RefillDay *int64 `json:"refillDay" schema:"minimum=1,maximum=31"`
}

type credits struct {
	Remaining schema.Nullable[int64] `json:"remaining" schema:"required,minimum=0"`
	Refill    *refill                `json:"refill"`
}

type creditsUpdate struct {
	Remaining schema.Nullable[int64]  `json:"remaining" schema:"minimum=0"`
	Refill    schema.Nullable[refill] `json:"refill"`
}

type verifyKeyRequest struct {
	Key         string                  `json:"key" schema:"required,minLength=1,maxLength=512" doc:"The key to verify."`
	Credits     *verifyCredits          `json:"credits"`
	Tags        []string                `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"`
	Permissions schema.Optional[string] `json:"permissions" schema:"minLength=1,maxLength=1000"`
	Ratelimits  []verifyRatelimit       `json:"ratelimits"`
	MigrationID string                  `json:"migrationId" schema:"maxLength=256"`
}

type verifyCredits struct {
	Cost int64 `json:"cost" schema:"required,minimum=0,maximum=1000000000000"`
}

type verifyRatelimit struct {
	_        schema.Loose
	Name     string `json:"name" schema:"required,minLength=3,maxLength=255"`
	Cost     int64  `json:"cost" schema:"minimum=0,default=1"`
	Limit    *int64 `json:"limit" schema:"minimum=0"`
	Duration *int64 `json:"duration" schema:"minimum=0"`
}

type createKeyRequest struct {
	APIID       keyID             `json:"apiId" schema:"required"`
	Prefix      *string           `json:"prefix" schema:"minLength=1,maxLength=16,pattern=^[a-zA-Z0-9_]+$"`
	Name        *string           `json:"name" schema:"minLength=1,maxLength=255"`
	ByteLength  *int64            `json:"byteLength" schema:"minimum=16,maximum=255"`
	ExternalID  *externalID       `json:"externalId"`
	Meta        schema.Object     `json:"meta" schema:"maxProperties=100"`
	Roles       []roleName        `json:"roles" schema:"maxItems=100"`
	Permissions []slug            `json:"permissions" schema:"maxItems=1000"`
	Expires     *expires          `json:"expires"`
	Credits     *credits          `json:"credits"`
	Ratelimits  []ratelimitConfig `json:"ratelimits" schema:"maxItems=50"`
	Enabled     bool              `json:"enabled" schema:"default=true"`
	Recoverable bool              `json:"recoverable" schema:"default=false"`
}

type updateKeyRequest struct {
	KeyID       keyID                          `json:"keyId" schema:"required"`
	Name        schema.Nullable[string]        `json:"name" schema:"minLength=1,maxLength=255"`
	ExternalID  schema.Nullable[externalID]    `json:"externalId"`
	Meta        schema.Nullable[schema.Object] `json:"meta" schema:"maxProperties=100"`
	Expires     schema.Nullable[expires]       `json:"expires"`
	Credits     schema.Nullable[creditsUpdate] `json:"credits"`
	Ratelimits  []ratelimitConfig              `json:"ratelimits" schema:"maxItems=50"`
	Enabled     *bool                          `json:"enabled"`
	Roles       []roleName                     `json:"roles" schema:"maxItems=100"`
	Permissions []slug                         `json:"permissions" schema:"maxItems=1000"`
}

type updateCreditsRequest struct {
	KeyID     string                 `json:"keyId" schema:"required,minLength=3"`
	Operation string                 `json:"operation" schema:"required,enum=set|increment|decrement"`
	Value     schema.Nullable[int64] `json:"value" schema:"minimum=0"`
}

type createIdentityRequest struct {
	_          schema.Loose
	ExternalID externalID        `json:"externalId" schema:"required"`
	Meta       schema.Object     `json:"meta" schema:"maxProperties=100"`
	Ratelimits []ratelimitConfig `json:"ratelimits" schema:"maxItems=50"`
	Credits    *credits          `json:"credits"`
}

type updateIdentityRequest struct {
	Identity   string                         `json:"identity" schema:"required,minLength=1"`
	Meta       schema.Object                  `json:"meta" schema:"maxProperties=100"`
	Ratelimits []ratelimitConfig              `json:"ratelimits" schema:"maxItems=50"`
	Credits    schema.Nullable[creditsUpdate] `json:"credits"`
}

type limitRequest struct {
	Namespace  string `json:"namespace" schema:"required,minLength=1,maxLength=512"`
	Identifier string `json:"identifier" schema:"required,minLength=1,maxLength=512"`
	Limit      int64  `json:"limit" schema:"required,minimum=1"`
	Duration   int64  `json:"duration" schema:"required,minimum=1000,maximum=2592000000"`
	Cost       int64  `json:"cost" schema:"minimum=0,default=1"`
}

type multiLimitRequest []limitRequest

func (multiLimitRequest) SchemaTag() string { return `schema:"minItems=1,maxItems=100"` }

var (
	verifyKey      = schema.MustCompile[verifyKeyRequest]("keys.verifyKey")
	createKey      = schema.MustCompile[createKeyRequest]("keys.createKey")
	updateKey      = schema.MustCompile[updateKeyRequest]("keys.updateKey")
	updateCredits  = schema.MustCompile[updateCreditsRequest]("keys.updateCredits")
	createIdentity = schema.MustCompile[createIdentityRequest]("identities.createIdentity")
	updateIdentity = schema.MustCompile[updateIdentityRequest]("identities.updateIdentity")
	multiLimit     = schema.MustCompile[multiLimitRequest]("ratelimit.multiLimit")
)
