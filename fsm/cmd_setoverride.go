package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// SetOverride replaces limit and duration for identifiers of a namespace. See contract 2.6.
type SetOverride struct {
	ID         string // for a new override; an existing one keeps its id
	Namespace  string // id or name
	Identifier string // may contain *
	Limit      int64
	Duration   int64 // ms
}

var setOverrideType = commandType{kind: 51, since: 1, event: OverrideSet, create: create[SetOverride]}

func (*SetOverride) is() *commandType { return &setOverrideType }

func (c *SetOverride) fields(v *fields.Visitor) {
	v.String(&c.ID)
	v.String(&c.Namespace)
	v.String(&c.Identifier)
	v.Int(&c.Limit)
	v.Int(&c.Duration)
}

func (c *SetOverride) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	n, refusal := s.permittedNamespace(root, c.Namespace, SetOverridePermission)
	if refusal != nil {
		return nil, refusal
	}
	if c.Limit < 0 || c.Duration < minDuration {
		return nil, invalid("limit must not be negative, and duration must be at least 1000")
	}
	present := n.exact[c.Identifier]
	if present != nil {
		return func() Result {
			s.beforeChange(present)
			present.limit, present.duration = c.Limit, c.Duration
			s.afterChange(present)
			return &Created{ID: present.id}
		}, nil
	}
	o := &override{id: c.ID, namespace: n, identifier: c.Identifier, limit: c.Limit, duration: c.Duration, createdAt: s.clock}
	if s.version >= thirdRules && o.wild() && len(n.patterns) >= maxPatterns {
		return nil, invalid(fmt.Sprintf("identifier: the namespace has %d overrides with a *, at most %d are allowed", len(n.patterns), maxPatterns))
	}
	if s.overrides[c.ID] != nil {
		return nil, refuse(IDTaken)
	}
	if refusal := root.workspace.room(Usage{OverridesQuota: 1}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.addOverride(o)
		return &Created{ID: o.id}
	}, nil
}
