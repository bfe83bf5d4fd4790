package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateIdentityRequest struct {
	Identity     identityRef                    `json:"identity" schema:"required"`
	Meta         meta                           `json:"meta" schema:"maxProperties=100"`
	Ratelimits   []ratelimitConfig              `json:"ratelimits" schema:"maxItems=50"`
	Credits      schema.Nullable[creditsUpdate] `json:"credits"`
	CreditPolicy creditPolicy                   `json:"creditPolicy"`
}

// updateIdentity serves identities.updateIdentity, docs/contract.md 2.4 and 4.6.
func updateIdentity(c *call, req updateIdentityRequest) (any, error) {
	if err := c.checkIdentityMeta(req.Meta, "identity.*.update_identity"); err != nil {
		return nil, err
	}
	command := &fsm.UpdateIdentity{Identity: string(req.Identity), Credits: creditsChange(req.Credits), Ratelimits: ratelimitsChange(req.Ratelimits)}
	if req.Meta != "" {
		command.Meta = fsm.Set(keptMeta(req.Meta))
	}
	if req.CreditPolicy != "" {
		command.Policy = fsm.Set(req.CreditPolicy.policy())
	}
	after, err := execute[*fsm.Identity](c, command)
	if err != nil {
		return nil, err
	}
	return showIdentity(after), nil
}
