package fsm

// GetRootKey asks for the caller's own root key, if it holds Permission.
type GetRootKey struct{ Permission string }

func (q *GetRootKey) answer(_ *State, root *rootKey) Result {
	if !root.has(q.Permission) {
		return &Refusal{Code: InsufficientPermissions, Accepted: []string{q.Permission}}
	}
	return &RootKeys{List: []RootKey{root.show()}}
}
