package fsm

import "github.com/creditd/creditd/fsm/fields"

// UpdateIdentity changes fields of an identity. An absent field keeps its value. See contract 2.4 and 4.6.
type UpdateIdentity struct {
	Identity   string // id or externalId
	Meta       Field[string]
	Credits    CreditsChange
	Policy     Field[Policy]
	Ratelimits Field[[]Ratelimit] // replaces the list
}

var updateIdentityType = commandType{kind: 11, since: 1, event: IdentityUpdated, create: create[UpdateIdentity]}

func (*UpdateIdentity) is() *commandType { return &updateIdentityType }

func (c *UpdateIdentity) fields(v *fields.Visitor) {
	v.String(&c.Identity)
	c.Meta.visit(v, visitString)
	c.Credits.fields(v)
	c.Policy.visit(v, (*Policy).fields)
	c.Ratelimits.visit(v, visitRatelimits)
}

// plan checks the permission before it looks the identity up: see contract 1.13.
func (c *UpdateIdentity) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(UpdateIdentityPermission, "") {
		return nil, UpdateIdentityPermission.missing("")
	}
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return nil, refuse(IdentityNotFound)
	}
	if refusal := c.Credits.check(i.credit); refusal != nil {
		return nil, refusal
	}
	ratelimits, refusal := i.replaceRatelimits(c.Ratelimits)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.beforeChange(i)
		i.meta = c.Meta.over(i.meta)
		i.policy = c.Policy.over(i.policy)
		i.ratelimits = ratelimits
		s.afterChange(i)
		if c.Credits != (CreditsChange{}) {
			s.changeCredits(i.ownCredit(), c.Credits)
		}
		return s.showIdentity(i)
	}, nil
}
