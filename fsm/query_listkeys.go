package fsm

// ListKeys asks for the keys of an API. See contract 2.2.
type ListKeys struct {
	APIID      string
	ExternalID string // of the identity whose keys are wanted; empty: all
	Decrypt    bool
	Page       Page
}

func (q *ListKeys) answer(s *State, root *rootKey) Result {
	a := s.findAPI(root, q.APIID)
	if a == nil || !root.may(ReadKeyPermission, a.id) || !root.may(ReadAPIPermission, a.id) {
		return refuse(APINotFound)
	}
	if q.Decrypt {
		if !root.may(DecryptKeyPermission, a.id) {
			return DecryptKeyPermission.missing(a.id)
		}
		return encryptionOff()
	}
	keys := &a.keys
	if q.ExternalID != "" {
		i := s.external.find(externalRef{root.workspace.id, q.ExternalID})
		if i == nil {
			return &Keys{}
		}
		if keys = i.keysIn(a); keys == nil {
			return &Keys{}
		}
	}
	list, next := page(keys, q.Page, listing[*key, Key]{
		wanted: func(k *key) (bool, int) { return !k.gone(), 0 }, // a deleted identity leaves its keys in the index
		cost:   func(k *key) int { return gatheredLink * k.access().held() },
		show:   func(k *key) Key { return *s.showKey(k) },
	})
	return &Keys{List: list, Next: next}
}
