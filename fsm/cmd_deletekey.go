package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteKey hides a key. With Permanent, it removes the key's record. See contract 2.3.
type DeleteKey struct {
	KeyID     string
	Permanent bool
}

var deleteKeyType = commandType{kind: 7, since: 1, event: KeyDeleted, create: create[DeleteKey]}

func (*DeleteKey) is() *commandType { return &deleteKeyType }

func (c *DeleteKey) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	v.Bool(&c.Permanent)
}

// plan hides a key. A permanent deletion also removes the key's records.
func (c *DeleteKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	k, refusal := s.permittedKey(root, c.KeyID, DeleteKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		k.unlist()
		s.endWindows(KeyScope, k.id, k.ratelimits())
		if !c.Permanent {
			s.beforeChange(k)
			k.deleted = true
			s.afterChange(k)
			return done
		}
		if k.credit.limited() {
			s.makeUnlimited(k.credit)
		}
		if k.credit != nil {
			s.remove(k.credit)
		}
		s.remove(k)
		delete(s.keys, k.id)
		k.api.workspace.used[KeysQuota]--
		s.release(k)
		return done
	}, nil
}
