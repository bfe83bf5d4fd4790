package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateIdentity adds an identity. See contract 2.4.
type CreateIdentity struct {
	ID         string
	ExternalID string
	Meta       string
	Credits    NewCredits
	Policy     Policy
	Ratelimits []Ratelimit
}

var createIdentityType = commandType{kind: 10, since: 1, event: IdentityCreated, create: create[CreateIdentity]}

func (*CreateIdentity) is() *commandType { return &createIdentityType }

func (c *CreateIdentity) fields(v *fields.Visitor) {
	v.String(&c.ID)
	v.String(&c.ExternalID)
	v.String(&c.Meta)
	c.Credits.fields(v)
	c.Policy.fields(v)
	visitRatelimits(&c.Ratelimits, v)
}

func (c *CreateIdentity) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(CreateIdentityPermission, "") {
		return nil, CreateIdentityPermission.missing("")
	}
	credits, refusal := c.Credits.check()
	if refusal != nil {
		return nil, refusal
	}
	ratelimits, refusal := checkRatelimits(c.Ratelimits, nil)
	if refusal != nil {
		return nil, refusal
	}
	if s.external.find(externalRef{root.workspace.id, c.ExternalID}) != nil {
		return nil, refuse(IdentityExists)
	}
	if s.identities.find(c.ID) != nil {
		return nil, refuse(IDTaken)
	}
	if refusal := root.workspace.room(Usage{IdentitiesQuota: 1}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		i := &identity{
			id: c.ID, externalID: c.ExternalID, workspace: root.workspace, meta: c.Meta, policy: c.Policy, ratelimits: ratelimits,
			createdAt: s.clock,
		}
		s.addIdentity(i)
		if credits.Limited {
			s.makeLimited(i.ownCredit(), credits.Remaining, credits.Refill)
		}
		return &Created{ID: i.id}
	}, nil
}
