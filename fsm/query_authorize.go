package fsm

// Authorize asks whether the caller holds Permission; the answer is Done or a Refusal.
type Authorize struct{ Permission string }

func (q *Authorize) answer(_ *State, root *rootKey) Result {
	if !root.has(q.Permission) {
		return &Refusal{Code: InsufficientPermissions, Accepted: []string{q.Permission}}
	}
	return done
}
