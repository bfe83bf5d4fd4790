package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteIdentity deletes an identity. Its keys stay, without an identity, or are deleted with it. See contract 2.4.
type DeleteIdentity struct {
	Identity   string // id or externalId
	DeleteKeys bool   // since ledger version 2
}

var deleteIdentityType = commandType{kind: 12, since: 1, newest: 2, event: IdentityDeleted, create: create[DeleteIdentity]}

func (*DeleteIdentity) is() *commandType { return &deleteIdentityType }

func (c *DeleteIdentity) fields(v *fields.Visitor) {
	v.String(&c.Identity)
	if v.Added(2, c.DeleteKeys) {
		v.Bool(&c.DeleteKeys)
	}
}

// plan frees the externalId at once. The balance is withdrawn, and the deleted record says what becomes of the keys, however many there
// are. Below ledger version 2 the balance stays with the deleted record, and nothing can debit or refill it.
func (c *DeleteIdentity) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(DeleteIdentityPermission, "") {
		return nil, DeleteIdentityPermission.missing("")
	}
	if c.DeleteKeys && !root.may(DeleteKeyPermission, "") {
		return nil, DeleteKeyPermission.missing("")
	}
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return nil, refuse(IdentityNotFound)
	}
	return func() Result {
		withdrawn := s.version >= secondRules && i.credit.limited()
		s.beforeChange(i)
		i.deleted, i.hadBalance, i.keysDeleted = true, withdrawn, c.DeleteKeys
		limits := i.ratelimits
		if s.version >= fourthRules {
			i.meta, i.ratelimits = "", nil
		}
		s.afterChange(i)
		if withdrawn {
			s.makeUnlimited(i.credit)
		}
		s.endWindows(IdentityScope, i.id, limits)
		s.external.remove(i)
		i.workspace.identities.remove(i)
		s.review(i)
		return done
	}, nil
}
