package fsm

import "github.com/creditd/creditd/fsm/fields"

// UpdateKeyCredits sets, increments or decrements the balance of a key. See contract 4.4.
type UpdateKeyCredits struct {
	KeyID  string
	Change BalanceChange
}

var updateKeyCreditsType = commandType{kind: 8, since: 1, event: KeyCreditsUpdated, create: create[UpdateKeyCredits]}

func (*UpdateKeyCredits) is() *commandType { return &updateKeyCreditsType }

func (c *UpdateKeyCredits) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	c.Change.fields(v)
}

func (c *UpdateKeyCredits) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	k, refusal := s.permittedKey(root, c.KeyID, UpdateKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	after, refusal := c.Change.check(k.shownCredit(), s.clock)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		if k.orphaned() && c.Change.Op != SetBalance && after == 0 { // it was given nothing
			shown := nothing().show(s.clock)
			return &shown
		}
		s.decideOwn(k, c.Change.Op == SetBalance && !c.Change.Limited)
		return s.changeBalance(k.ownCredit(), c.Change, after)
	}, nil
}
