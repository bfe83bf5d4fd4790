package fsm

// Query is a request that changes nothing. A node answers it from its own state, once that state is known to be fresh enough. Each query
// has a file of its own.
type Query interface {
	// answer answers an authenticated caller.
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
