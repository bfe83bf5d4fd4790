package fsm

import "slices"

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
	from, _ := slices.BinarySearchFunc(n.byID, q.Cursor, compareID)
	page := &Overrides{}
	for _, o := range n.byID[from:] {
		if int64(len(page.List)) >= q.Limit {
			page.Next = o.id
			break
		}
		page.List = append(page.List, o.show())
	}
	return page
}
