package fsm

// ListOverrides asks for a page of the overrides of a namespace. See contract 1.14 and 2.6.
type ListOverrides struct {
	Namespace string // id or name
	Cursor    string // lowest id
	Limit     int64  // at least 1
}

func (q *ListOverrides) answer(s *State, root *rootKey) Result {
	n, refusal := s.permittedNamespace(root, q.Namespace, ReadOverridePermission)
	if refusal != nil {
		return refusal
	}
	list, next := page(&n.list, Page{Limit: int(q.Limit), Cursor: q.Cursor}, listing[*override, Override]{show: (*override).show})
	return &Overrides{List: list, Next: next}
}
