package fsm

// GetIdempotencyRecord asks for the outcome of a call that was carried out before, with Repeated or a Refusal; Done if there is none.
type GetIdempotencyRecord struct{ Idempotency Idempotency }

func (q *GetIdempotencyRecord) answer(s *State, root *rootKey) Result {
	if r := s.findReplay(root.workspace, &q.Idempotency); r != nil {
		return r
	}
	return done
}
