package fsm

// countLink counts the keys of an identity.
func (ring *keyring) countLink(k *key, more int) {
	if i := k.identity; i != nil {
		i.linked += more
		ring.graves.review(i)
	}
}

// relink changes or removes the identity of a key that is not deleted.
func (ring *keyring) relink(k *key, i *identity) {
	k.unlistUnder()
	ring.countLink(k, -1)
	k.identity = i
	ring.countLink(k, 1)
	k.listUnder()
}

// removeKey removes a key with everything that it has. It may be deleted already, by itself, with its API or with its identity.
func (ring *keyring) removeKey(k *key) {
	if !k.deleted {
		k.unlist()
	}
	ring.limits.endWindows(KeyScope, k.id, k.ratelimits())
	if k.credit.limited() {
		ring.accounts.makeUnlimited(k.credit)
	}
	if k.credit != nil {
		ring.remove(k.credit)
	}
	ring.remove(k)
	delete(ring.keys, k.id)
	k.api.workspace.used[KeysQuota]--
	ring.release(k)
	ring.graves.drop(k)
	ring.countLink(k, -1)
}
