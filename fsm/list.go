package fsm

import (
	"slices"
	"strings"
)

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

// placeOf returns where the keys of an API are or belong. The lists are in the order of the APIs' ids.
func (i *identity) placeOf(a *api) (at int, found bool) {
	return slices.BinarySearchFunc(i.keys, a.id, func(k apiKeys, id string) int { return strings.Compare(k.api.id, id) })
}

func (i *identity) keysIn(a *api) *ordered[*key] {
	if at, found := i.placeOf(a); found {
		return &i.keys[at].keys
	}
	return nil
}

// firstKey returns the first key of the first API.
func (i *identity) firstKey() *key {
	if len(i.keys) == 0 {
		return nil
	}
	k, _ := i.keys[0].keys.first()
	return k
}

// dropList drops an empty list: an identity outlives any number of APIs.
func (i *identity) dropList(at int) {
	switch {
	case len(i.keys) == 1:
		i.keys = nil
	case at == 0: // where the graveyard takes them from
		i.keys[0] = apiKeys{}
		i.keys = i.keys[1:]
	default:
		i.keys = slices.Delete(i.keys, at, at+1)
	}
}

// list adds a key to the listings, unless it is deleted by itself; unlist removes it. Both read the key's API and identity.
func (k *key) list() {
	if k.deleted {
		return
	}
	k.api.keys.insert(k)
	k.listUnder()
}

func (k *key) listUnder() {
	i := k.identity
	if i == nil {
		return
	}
	at, found := i.placeOf(k.api)
	if !found {
		i.keys = slices.Insert(i.keys, at, apiKeys{api: k.api})
	}
	i.keys[at].keys.insert(k)
}

func (k *key) unlist() {
	k.api.keys.remove(k)
	k.unlistUnder()
}

func (k *key) unlistUnder() {
	i := k.identity
	if i == nil {
		return
	}
	if at, found := i.placeOf(k.api); found {
		i.keys[at].keys.remove(k)
		if i.keys[at].keys.empty() {
			i.dropList(at)
		}
	}
}
