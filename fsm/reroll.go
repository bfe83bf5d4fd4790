package fsm

func (ring *keyring) hashTaken(h Hash) bool {
	return ring.keyByHash[h] != nil || ring.tenants.rootByHash[h] != nil
}
