package fsm

// ListAPIs asks for the APIs of the caller's workspace. See contract 7.2.
type ListAPIs struct {
	Search string // part of an id or a name, in any case; blank: all
	Page   Page
}

func (q *ListAPIs) answer(_ *State, root *rootKey) Result {
	if !root.may(ReadAPIPermission, "") {
		return ReadAPIPermission.missing("")
	}
	wanted := newSearchText(q.Search)
	list, next := page(&root.workspace.apis, q.Page, listing[*api, API]{
		wanted: func(a *api) (bool, int) { return wanted.in(a.id, a.name) },
		show:   (*api).show,
	})
	return &APIs{List: list, Next: next}
}
