package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type createIdentityRequest struct {
	_            schema.Loose
	ExternalID   externalID        `json:"externalId" schema:"required"`
	Meta         meta              `json:"meta" schema:"maxProperties=100"`
	Ratelimits   []ratelimitConfig `json:"ratelimits" schema:"maxItems=50"`
	Credits      *credits          `json:"credits"`
	CreditPolicy creditPolicy      `json:"creditPolicy"`
}

type createIdentityData struct {
	IdentityID string `json:"identityId"`
}

// createIdentity is identities.createIdentity, docs/contract.md 2.4.
func createIdentity() *endpoint {
	return write("identities.createIdentity", about{
		summary: "Create an identity, which owns keys, with a balance that they share",
		text:    "`creditPolicy` says who pays for a verification: the identity, the key, or both.",
		needs:   []need{forAll(fsm.CreateIdentityPermission)},
		example: `{"externalId":"user_456","meta":{"tier":"gold"},"credits":{"remaining":5000,"refill":{"interval":"daily","amount":200}},"creditPolicy":"identity"}`,
		refuses: []fsm.RefusalCode{fsm.IdentityExists},
	}, func(c *call, req createIdentityRequest) (createIdentityData, error) {
		if err := c.checkIdentityMeta(req.Meta, fsm.CreateIdentityPermission); err != nil {
			return createIdentityData{}, err
		}
		return create(c, func() fsm.Command {
			return &fsm.CreateIdentity{
				ID: mint.ID(mint.Identity), ExternalID: string(req.ExternalID), Meta: keptMeta(req.Meta),
				Credits: req.Credits.newCredits(), Policy: req.CreditPolicy.policy(), Ratelimits: newRatelimits(req.Ratelimits),
			}
		}, func(created *fsm.Created) createIdentityData { return createIdentityData{created.ID} })
	})
}
