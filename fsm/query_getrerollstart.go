package fsm

// GetRerollStart asks for the first characters that the new secret must have, and how many ids the reroll needs.
type GetRerollStart struct{ KeyID string }

func (q *GetRerollStart) answer(s *State, root *rootKey) Result {
	k, refusal := s.permittedKey(root, q.KeyID, CreateKeyPermission)
	if refusal != nil {
		return refusal
	}
	return &KeyStart{Text: k.start, Ratelimits: int64(len(k.ratelimits()))}
}
