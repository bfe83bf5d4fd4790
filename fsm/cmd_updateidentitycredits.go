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

func (c *UpdateIdentityCredits) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return nil, refuse(IdentityNotFound)
	}
	if !root.may(UpdateIdentityPermission, i.id) {
		return nil, UpdateIdentityPermission.missing(i.id)
	}
	after, refusal := c.Change.check(i.credit, s.clock)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		return s.changeBalance(i.ownCredit(), c.Change, after)
	}, nil
}
