package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteKey removes a key. See contract 2.3.
type DeleteKey struct {
	KeyID     string
	Permanent bool // below ledger version 4, only this removes the key's records
}

var deleteKeyType = commandType{kind: 7, since: 1, event: KeyDeleted, create: create[DeleteKey]}

func (*DeleteKey) is() *commandType { return &deleteKeyType }

func (c *DeleteKey) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	v.Bool(&c.Permanent)
}

// plan removes a key. Below ledger version 4, one that is not permanent keeps the key's records.
func (c *DeleteKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	k, refusal := s.permittedKey(root, c.KeyID, DeleteKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		if c.Permanent || s.version >= fourthRules {
			s.removeKey(k)
			return done
		}
		k.unlist()
		s.endWindows(KeyScope, k.id, k.ratelimits())
		s.beforeChange(k)
		k.deleted = true
		s.afterChange(k)
		s.review(k)
		return done
	}, nil
}
