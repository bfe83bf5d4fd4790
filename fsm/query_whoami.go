package fsm

// WhoAmI asks for a key by its hash. See contract 2.3.
type WhoAmI struct{ Hash Hash }

// answer refuses a key that the caller may not read as if it did not exist.
func (q *WhoAmI) answer(s *State, root *rootKey) Result {
	k := visible(root, s.holder(q.Hash))
	if k == nil || !root.may(ReadKeyPermission, k.api.id) {
		return refuse(KeyNotFound)
	}
	return s.showKey(k)
}
