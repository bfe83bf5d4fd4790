package fsm

// Recall asks for the outcome of a call that was carried out before, with Repeated or a Refusal; Done if there is none.
type Recall struct{ Once Idempotency }

func (q *Recall) answer(s *State, root *rootKey) Result {
	if r := s.recall(root.workspace, &q.Once); r != nil {
		return r
	}
	return done
}
