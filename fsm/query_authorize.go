package fsm

// Authorize asks whether the caller holds Permission; the answer is Done or a Refusal.
type Authorize struct {
	Permission string
	// OnSome: holding it for a single resource is enough, "api.api_1.create_key" for "api.*.create_key".
	OnSome bool
}

func (q *Authorize) answer(_ *State, root *rootKey) Result {
	if root.has(q.Permission) || q.OnSome && root.mayOnSome(RootPermission(q.Permission)) {
		return done
	}
	return &Refusal{Code: InsufficientPermissions, Accepted: []string{q.Permission}}
}
