package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteOverride removes the override of exactly this identifier. See contract 2.6.
type DeleteOverride struct {
	Namespace  string // id or name
	Identifier string
}

var deleteOverrideType = commandType{kind: 52, since: 1, event: OverrideDeleted, create: create[DeleteOverride]}

func (*DeleteOverride) is() *commandType { return &deleteOverrideType }

func (c *DeleteOverride) fields(v *fields.Visitor) {
	v.String(&c.Namespace)
	v.String(&c.Identifier)
}

func (c *DeleteOverride) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	n, refusal := s.permittedNamespace(root, c.Namespace, DeleteOverridePermission)
	if refusal != nil {
		return nil, refusal
	}
	o := n.exact[c.Identifier]
	if o == nil {
		return nil, refuse(RatelimitOverrideNotFound)
	}
	return func() Result {
		s.remove(o)
		delete(s.overrides, o.id)
		n.workspace.used[OverridesQuota]--
		delete(n.exact, o.identifier)
		n.list.remove(o)
		n.removePattern(o)
		return done
	}, nil
}
