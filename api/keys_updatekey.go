package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateKeyRequest struct {
	KeyID       keyID                          `json:"keyId" schema:"required"`
	Name        schema.Nullable[string]        `json:"name" schema:"minLength=1,maxLength=255"`
	ExternalID  schema.Nullable[externalID]    `json:"externalId"`
	Meta        schema.Nullable[meta]          `json:"meta" schema:"maxProperties=100"`
	Expires     schema.Nullable[expiry]        `json:"expires"`
	Credits     schema.Nullable[creditsUpdate] `json:"credits"`
	Ratelimits  []ratelimitConfig              `json:"ratelimits" schema:"maxItems=50"`
	Enabled     schema.Optional[bool]          `json:"enabled"`
	Roles       []roleName                     `json:"roles" schema:"maxItems=100"`
	Permissions []slug                         `json:"permissions" schema:"maxItems=1000"`
}

// updateKey serves keys.updateKey, docs/contract.md 2.3 and 4.5.
func updateKey(c *call, req updateKeyRequest) (any, error) {
	_, err := executeNew[*fsm.Done](c, func() fsm.Command {
		command := &fsm.UpdateKey{
			KeyID:      string(req.KeyID),
			Name:       field(req.Name, same[string]),
			ExternalID: field(req.ExternalID, text[externalID]),
			Meta:       field(req.Meta, keptMeta),
			Expires:    field(req.Expires, func(e expiry) int64 { return int64(e) }),
			Credits:    creditsChange(req.Credits),
			Ratelimits: ratelimitsChange(req.Ratelimits),
		}
		if req.Enabled.Set() {
			command.Enabled = fsm.Set(req.Enabled.Value)
		}
		if req.Permissions != nil {
			command.Permissions = fsm.Set(slugRefs(req.Permissions))
		}
		if req.Roles != nil {
			command.Roles = fsm.Set(roleNames(req.Roles))
		}
		if req.ExternalID.Set() {
			command.IdentityID = mint.ID(mint.Identity)
		}
		return command
	})
	return none{}, err
}
