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
	Permissions []permissionSlug               `json:"permissions" schema:"maxItems=1000"`
}

// updateKey is keys.updateKey, docs/contract.md 2.3 and 4.5.
func updateKey() *endpoint {
	return write("keys.updateKey", about{
		summary: "Change fields of a key",
		text: "An absent field stays as it is, and `null` clears it. `credits` null makes the key unlimited. `permissions`, `roles` and " +
			"`ratelimits` replace all that the key has. The call is all or nothing.",
		needs:   []need{forOne(fsm.UpdateKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","name":"renamed","enabled":true,"expires":null,"credits":{"remaining":500}}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.RoleNotFound},
	}, func(c *call, req updateKeyRequest) (none, error) {
		if err := c.checkKeyMeta(req.Meta.Value, "meta"); err != nil {
			return none{}, err
		}
		return create(c, func() fsm.Command { return req.command() }, done)
	})
}

func (req *updateKeyRequest) command() *fsm.UpdateKey {
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
		command.Permissions = fsm.Set(permissionRefs(req.Permissions))
	}
	if req.Roles != nil {
		command.Roles = fsm.Set(roleNames(req.Roles))
	}
	if req.ExternalID.Set() {
		command.IdentityID = mint.ID(mint.Identity)
	}
	return command
}
