package fsm

// GetIdempotencyRecord asks for the stored answer of a call. The result is an IdempotentReplay, a Refusal, or Done if there is none.
type GetIdempotencyRecord struct{ Idempotency Idempotency }

func (q *GetIdempotencyRecord) answer(s *State, root *rootKey) Result {
	if r := s.findReplay(root.workspace, &q.Idempotency); r != nil {
		return r
	}
	return done
}
