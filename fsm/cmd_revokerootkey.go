package fsm

import "github.com/creditd/creditd/fsm/fields"

// RevokeRootKey revokes a root key of any workspace. See contract 7.2.
type RevokeRootKey struct{ KeyID string }

var revokeRootKeyType = commandType{kind: 21, since: 1, event: RootKeyRevoked, create: create[RevokeRootKey]}

func (*RevokeRootKey) is() *commandType { return &revokeRootKeyType }

func (c *RevokeRootKey) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
}

// plan removes a root key permanently. It refuses the caller's own key, so operators cannot lock themselves out.
func (c *RevokeRootKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(OperateClusterPermission, "") {
		return nil, OperateClusterPermission.missing("")
	}
	r := s.rootKeys[c.KeyID]
	if r == nil {
		return nil, refuse(KeyNotFound)
	}
	if r == root {
		return nil, &Refusal{Code: PreconditionFailed, Detail: "A root key cannot revoke itself: use another one"}
	}
	return func() Result {
		s.remove(r)
		delete(s.rootKeys, r.id)
		delete(s.rootByHash, r.hash)
		s.rootKeyList.remove(r)
		return done
	}, nil
}
