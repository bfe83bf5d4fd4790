package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteIdentity deletes an identity. Its keys stay, without an identity. See contract 2.4.
type DeleteIdentity struct {
	Identity string // id or externalId
}

var deleteIdentityType = commandType{kind: 12, since: 1, event: IdentityDeleted, create: create[DeleteIdentity]}

func (*DeleteIdentity) is() *commandType { return &deleteIdentityType }

func (c *DeleteIdentity) fields(v *fields.Visitor) {
	v.String(&c.Identity)
}

// apply frees the externalId at once. The balance stays with the deleted record, and nothing can debit or refill it.
func (c *DeleteIdentity) apply(s *State, root *rootKey) Result {
	if !root.may(DeleteIdentityPermission, "") {
		return DeleteIdentityPermission.missing("")
	}
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	s.beforeChange(i)
	i.deleted = true
	s.afterChange(i)
	delete(s.external, i.ref())
	i.workspace.identities.remove(i)
	i.keys = nil
	return done
}
