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

// updateIdentity is identities.updateIdentity, docs/contract.md 2.4 and 4.6.
func updateIdentity() *endpoint {
	return write("identities.updateIdentity", about{
		summary: "Change fields of an identity",
		text: "An absent field stays as it is. `meta` and `ratelimits` replace all that the identity has. `credits` null makes the identity " +
			"unlimited.",
		needs:     []need{forAll(fsm.UpdateIdentityPermission)},
		needsNote: checkedFirst,
		example:   `{"identity":"` + exampleExternalID + `","meta":{"tier":"silver"},"credits":{"remaining":250}}`,
		refuses:   []fsm.RefusalCode{fsm.IdentityNotFound},
	}, func(c *call, req updateIdentityRequest) (*identityOut, error) {
		if err := c.checkIdentityMeta(req.Meta, fsm.UpdateIdentityPermission); err != nil {
			return nil, err
		}
		command := &fsm.UpdateIdentity{
			Identity: string(req.Identity), Credits: creditsChange(req.Credits), Ratelimits: ratelimitsChange(req.Ratelimits),
		}
		if req.Meta != "" {
			command.Meta = fsm.Set(keptMeta(req.Meta))
		}
		if req.CreditPolicy != "" {
			command.Policy = fsm.Set(req.CreditPolicy.policy())
		}
		return change(c, command, showIdentity)
	})
}
