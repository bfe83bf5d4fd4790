package fsm

// RerollStart asks for what the new secret must begin like, and how many ids the reroll needs.
type RerollStart struct{ KeyID string }

func (q *RerollStart) answer(s *State, root *rootKey) Result {
	k, refusal := s.permittedKey(root, q.KeyID, CreateKeyPermission)
	if refusal != nil {
		return refusal
	}
	return &Start{Text: k.start, Ratelimits: int64(len(k.ratelimits()))}
}
