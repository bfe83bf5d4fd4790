package fsm

// Query is a question that changes nothing. Queries never travel: a node answers them from its own state once that is known to
// be fresh enough. Each has a file of its own.
type Query interface {
	// answer answers for an authenticated caller.
	answer(s *State, root *rootKey) Result
}

// Answer answers a query at the present log time.
func (s *State) Answer(actor Hash, q Query) Result {
	root, refusal := s.authenticate(actor)
	if refusal != nil {
		return refusal
	}
	return q.answer(s, root)
}
