package fsm

// countLink counts the keys of an identity.
func (ring *keyring) countLink(k *key, more int) {
	if i := k.identity; i != nil {
		i.linked += more
		ring.graves.review(i)
	}
}

// relink changes or removes the identity of a key that is not deleted. The new link ends that the key is orphaned.
func (ring *keyring) relink(k *key, i *identity) {
	k.lost = false
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
	ring.keys.remove(k)
	k.api.workspace.used[KeysQuota]--
	ring.release(k)
	ring.access.refer(k.access(), -1) // before the key leaves the yard: what it frees goes in the same turn
	ring.graves.drop(k)
	ring.countLink(k, -1)
}

// unlink takes its deleted identity from a key. What it says of the key's credits stays.
func (ring *keyring) unlink(k *key) {
	ring.beforeChange(k)
	lost := k.orphaned()
	ring.relink(k, nil)
	k.lost = lost
	ring.afterChange(k)
}
