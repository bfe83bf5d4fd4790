package api

import (
	"fmt"

	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type externalID string

func (externalID) SchemaTag() string {
	return `schema:"minLength=1,maxLength=255,pattern=^[a-zA-Z0-9_.-]+$" doc:"Your own name for the owner of keys."`
}

type identityRef string

func (identityRef) SchemaTag() string {
	return `schema:"minLength=1" doc:"The id of an identity, or its externalId."`
}

// creditPolicies are the names of the policies of contract 4.8.
var creditPolicies = [...]string{fsm.IdentityPays: "identity", fsm.KeyPays: "key", fsm.BothPay: "both"}

type creditPolicy string

func (creditPolicy) SchemaTag() string {
	return `schema:"enum=identity|key|both" doc:"Who pays for a verification."`
}

// policy converts a policy; "" is the default one.
func (p creditPolicy) policy() fsm.Policy {
	for policy, name := range creditPolicies {
		if name == string(p) {
			return fsm.Policy(policy)
		}
	}
	return fsm.IdentityPays
}

// maxIdentityMetaBytes bounds the meta of an identity: docs/contract.md 1.10.
const maxIdentityMetaBytes = 1 << 20

// checkIdentityMeta refuses a meta that is too large. Only callers with the permission learn of it: in contract 1.2 this rule comes after
// authentication and permission.
func (c *call) checkIdentityMeta(m meta, p fsm.RootPermission) error {
	if len(m) <= maxIdentityMetaBytes {
		return nil
	}
	if err := c.authorize(p); err != nil {
		return err
	}
	return invalid(fmt.Sprintf("meta is too large: %d bytes, at most %d are allowed", len(m), maxIdentityMetaBytes))
}

type identityOut struct {
	ID           string         `json:"id"`
	ExternalID   string         `json:"externalId"`
	Meta         schema.Object  `json:"meta,omitempty"`
	Credits      *creditsOut    `json:"credits,omitempty"`
	CreditPolicy string         `json:"creditPolicy,omitempty"`
	Ratelimits   []ratelimitOut `json:"ratelimits,omitempty"`
}

func (i *identityOut) metas() []*schema.Object { return []*schema.Object{&i.Meta} }

func showIdentity(i *fsm.Identity) *identityOut {
	shown := &identityOut{
		ID: i.ID, ExternalID: i.ExternalID, Meta: showMeta(i.Meta), Credits: showRecord(&i.Credits),
		Ratelimits: showRatelimits(i.Ratelimits),
	}
	if i.Policy != fsm.IdentityPays {
		shown.CreditPolicy = creditPolicies[i.Policy]
	}
	return shown
}
