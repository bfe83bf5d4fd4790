package fsm

// GetRootKey asks for the caller's own root key, if it holds a permission.
type GetRootKey struct{ Permission string } // empty: none

func (q *GetRootKey) answer(_ *State, root *rootKey) Result {
	if q.Permission != "" && !root.has(q.Permission) {
		return &Refusal{Code: InsufficientPermissions, Accepted: []string{q.Permission}}
	}
	return &RootKeys{List: []RootKey{root.show()}}
}
