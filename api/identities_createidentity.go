package api

import (
	"fmt"

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

// createIdentity serves identities.createIdentity, docs/contract.md 2.4.
func createIdentity(c *call, req createIdentityRequest) (any, error) {
	if err := c.checkIdentityMeta(req.Meta, "identity.*.create_identity"); err != nil {
		return nil, err
	}
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		return &fsm.CreateIdentity{
			ID: mint.ID(mint.Identity), ExternalID: string(req.ExternalID), Meta: keptMeta(req.Meta),
			Credits: req.Credits.newCredits(), Policy: req.CreditPolicy.policy(),
			Ratelimits: newRatelimits(req.Ratelimits),
		}
	})
	if err != nil {
		return nil, err
	}
	return createIdentityData{created.ID}, nil
}

// maxIdentityMetaBytes bounds the meta of an identity: docs/contract.md 1.10.
const maxIdentityMetaBytes = 1 << 20

// checkIdentityMeta refuses a meta that is too large, but only to callers who may do what they ask for: the rule comes after
// authentication and permission in the order of contract 1.2.
func (c *call) checkIdentityMeta(m meta, permission string) error {
	if len(m) <= maxIdentityMetaBytes {
		return nil
	}
	if err := c.authorize(permission); err != nil {
		return err
	}
	return invalid(fmt.Sprintf("meta is too large: %d bytes, at most %d are allowed", len(m), maxIdentityMetaBytes))
}
