package fsm

import "github.com/creditd/creditd/fsm/fields"

// UpdateIdentityCredits sets, increments or decrements the balance of an identity. See contract 4.4.
type UpdateIdentityCredits struct {
	Identity string // id or externalId
	Change   BalanceChange
}

var updateIdentityCreditsType = commandType{kind: 9, since: 1, event: IdentityCreditsUpdated, create: create[UpdateIdentityCredits]}

func (*UpdateIdentityCredits) is() *commandType { return &updateIdentityCreditsType }

func (c *UpdateIdentityCredits) fields(v *fields.Visitor) {
	v.String(&c.Identity)
	c.Change.fields(v)
}

func (c *UpdateIdentityCredits) apply(s *State, root *rootKey) Result {
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	if !root.may(UpdateIdentityPermission, i.id) {
		return UpdateIdentityPermission.missing(i.id)
	}
	after, refusal := c.Change.check(i.credit, s.clock)
	if refusal != nil {
		return refusal
	}
	return s.changeBalance(i.ownCredit(), c.Change, after)
}
