package fsm

// ListIdentities asks for the identities of the caller's workspace. See contract 2.4.
type ListIdentities struct {
	Search string // part of an id or externalId, in any case; blank: all
	Page   Page
}

// answer requires the permission to read each identity that it shows. See contract 2.4.
func (q *ListIdentities) answer(s *State, root *rootKey) Result {
	wanted := newSearchText(q.Search)
	var refusal *Refusal
	list, next := page(&root.workspace.identities, q.Page, listing[*identity, Identity]{
		wanted: func(i *identity) (bool, int) { return wanted.in(i.id, i.externalID) },
		show: func(i *identity) Identity {
			if refusal == nil && !root.may(ReadIdentityPermission, i.id) {
				refusal = ReadIdentityPermission.missing(i.id)
			}
			return *s.showIdentity(i)
		},
	})
	if refusal != nil {
		return refusal
	}
	return &Identities{List: list, Next: next}
}
