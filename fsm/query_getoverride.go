package fsm

// GetOverride asks for the override that applies to an identifier. See contract 2.6.
type GetOverride struct {
	Namespace  string // id or name
	Identifier string
}

// answer hides an override from a caller who may not read it: see contract 1.13.
func (q *GetOverride) answer(s *State, root *rootKey) Result {
	n, refusal := s.permittedNamespace(root, q.Namespace, ReadOverridePermission)
	if n == nil {
		return refusal
	}
	o := n.overrideOf(q.Identifier)
	if o == nil || refusal != nil {
		return refuse(RatelimitOverrideNotFound)
	}
	shown := o.show()
	return &shown
}
