package fsm

func (a *api) listID() string { return a.id }

func (k *key) listID() string { return k.id }

func (i *identity) listID() string { return i.id }

func (p *permission) listID() string { return p.id }

func (r *role) listID() string { return r.id }

func (r *rootKey) listID() string { return r.id }

func (w *workspace) listID() string { return w.id }

func (o *override) listID() string { return o.id }

func (*api) listPrefix() string { return "api_" }

func (*key) listPrefix() string { return "key_" }

func (*identity) listPrefix() string { return "id_" }

func (*permission) listPrefix() string { return "perm_" }

func (*role) listPrefix() string { return "role_" }

func (*rootKey) listPrefix() string { return "key_" }

func (*workspace) listPrefix() string { return "ws_" }

func (*override) listPrefix() string { return "rlor_" }

// apiKeys are an identity's keys in one API, so that listing them does not search the identity's other keys. Most identities have keys in
// few APIs.
type apiKeys struct {
	api  *api
	keys ordered[*key]
}

func (i *identity) keysIn(a *api) *ordered[*key] {
	for n := range i.keys {
		if i.keys[n].api == a {
			return &i.keys[n].keys
		}
	}
	return nil
}

// list adds a key to the listings, unless it is deleted, itself or with its identity; unlist removes it. Both read the key's API and identity.
func (k *key) list() {
	if k.deleted || k.identity != nil && k.identity.keysDeleted {
		return
	}
	k.api.keys.insert(k)
	k.listUnder()
}

func (k *key) listUnder() {
	i := k.liveIdentity()
	if i == nil {
		return
	}
	if i.keysIn(k.api) == nil {
		i.keys = append(i.keys, apiKeys{api: k.api})
	}
	i.keysIn(k.api).insert(k)
}

func (k *key) unlist() {
	k.api.keys.remove(k)
	k.unlistUnder()
}

func (k *key) unlistUnder() {
	if i := k.liveIdentity(); i != nil {
		i.keysIn(k.api).remove(k)
	}
}

// relink changes or removes the identity of a key that is not deleted.
func (k *key) relink(i *identity) {
	k.unlistUnder()
	k.identity = i
	k.listUnder()
}
