package fsm

// GetKey asks for a key by id. See contract 2.3.
type GetKey struct {
	KeyID   string
	Decrypt bool
}

// answer looks the key up before it checks the permission: see contract 1.13.
func (q *GetKey) answer(s *State, root *rootKey) Result {
	k, refusal := s.permittedKey(root, q.KeyID, ReadKeyPermission)
	if refusal != nil {
		return refusal
	}
	if q.Decrypt {
		if !root.may(DecryptKeyPermission, k.api.id) {
			return DecryptKeyPermission.missing(k.api.id)
		}
		return encryptionOff()
	}
	return s.showKey(k)
}
