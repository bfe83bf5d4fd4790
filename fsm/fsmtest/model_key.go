package fsmtest

import (
	"slices"

	"github.com/creditd/creditd/fsm"
)

// findKey finds a key that is not deleted, in the workspace of the root key.
func (t *Model) findKey(root *rootKey, match func(*key) bool) *key {
	for _, k := range t.keys {
		if !k.deleted && !k.ended && match(k) && t.findAPI(root, k.api) != nil {
			return k
		}
	}
	return nil
}

func (t *Model) keyByID(root *rootKey, id string) *key {
	return t.findKey(root, func(k *key) bool { return k.id == id })
}

// identityOf returns the identity of a key unless there is none or it was deleted.
func (t *Model) identityOf(k *key) *identity {
	for _, i := range t.identities {
		if i.id == k.identity && !i.deleted {
			return i
		}
	}
	return nil
}

func (t *Model) createKey(root *rootKey, c *fsm.CreateKey) fsm.Result {
	if t.findAPI(root, c.APIID) == nil ||
		need(root, either("api", c.APIID, "create_key")...) != nil ||
		c.Recoverable && need(root, either("api", c.APIID, "encrypt_key")...) != nil {
		return refusal(fsm.APINotFound)
	}
	if c.Recoverable {
		return refusal(fsm.PreconditionFailed)
	}
	opening, ok := opened(c.Credits)
	if !ok {
		return refusal(fsm.InvalidInput)
	}
	roles, ok := t.namedRoles(root, c.Roles)
	if !ok {
		return refusal(fsm.RoleNotFound)
	}
	if t.idsTaken(t.unknown(root, c.Permissions)) {
		return refusal(fsm.IDTaken)
	}
	if slices.ContainsFunc(t.keys, func(k *key) bool { return k.id == c.ID }) || t.hashTaken(c.Hash) {
		return refusal(fsm.IDTaken)
	}
	makes, permissions := t.makesIdentity(root, c.ExternalID), int64(len(t.unknown(root, c.Permissions)))
	if makes > 0 && t.identityIDTaken(c.IdentityID) {
		return refusal(fsm.IDTaken)
	}
	if t.overfull(nil, t.named(root, c.Permissions), roles) {
		return refusal(fsm.InvalidInput)
	}
	if r := t.room(root, fsm.Usage{fsm.KeysQuota: 1, fsm.IdentitiesQuota: makes, fsm.PermissionsQuota: permissions}); r != nil {
		return r
	}
	linked, ok := "", true
	if c.ExternalID != "" {
		if linked, ok = t.link(root, c.ExternalID, c.IdentityID); !ok {
			return refusal(fsm.IDTaken)
		}
	}
	t.keys = append(t.keys, &key{
		id: c.ID, start: c.Start, api: c.APIID, name: c.Name, meta: c.Meta, identity: linked, hash: c.Hash,
		enabled: c.Enabled, createdAt: t.now, expires: c.Expires, account: opening,
		permissions: t.resolved(root, c.Permissions), roles: roles,
		limits: replaced(nil, c.Ratelimits),
	})
	return &fsm.Created{ID: c.ID, Nonce: c.Nonce}
}

// link returns the id of the identity of that externalId, made under newID if there is none; ok false: newID is taken.
func (t *Model) link(root *rootKey, externalID, newID string) (id string, ok bool) {
	if i := t.identityByExternalID(root, externalID); i != nil {
		return i.id, true
	}
	if t.identityIDTaken(newID) {
		return "", false
	}
	t.identities = append(t.identities, &identity{id: newID, externalID: externalID, workspace: root.workspace, createdAt: t.now})
	return newID, true
}

// updateKey is contract 2.3 and 4.5.
func (t *Model) updateKey(root *rootKey, c *fsm.UpdateKey) fsm.Result {
	k := t.keyByID(root, c.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	if r := need(root, either("api", k.api, "update_key")...); r != nil {
		return r
	}
	after, ok := k.spendable(c.ExternalID.State == fsm.Absent).updated(c.Credits)
	if !ok {
		return refusal(fsm.InvalidInput)
	}
	roles, ok := t.namedRoles(root, c.Roles.Value)
	if !ok {
		return refusal(fsm.RoleNotFound)
	}
	if t.idsTaken(t.unknown(root, c.Permissions.Value)) {
		return refusal(fsm.IDTaken)
	}
	makes := int64(0)
	if c.ExternalID.State == fsm.Given {
		makes = t.makesIdentity(root, c.ExternalID.Value)
	}
	if makes > 0 && t.identityIDTaken(c.IdentityID) {
		return refusal(fsm.IDTaken)
	}
	permissions, listed := k.permissions, k.roles
	if c.Permissions.State == fsm.Given {
		permissions = t.named(root, c.Permissions.Value)
	}
	if c.Roles.State == fsm.Given {
		listed = roles
	}
	if t.overfull(k, permissions, listed) {
		return refusal(fsm.InvalidInput)
	}
	unknown := int64(len(t.unknown(root, c.Permissions.Value)))
	if r := t.room(root, fsm.Usage{fsm.IdentitiesQuota: makes, fsm.PermissionsQuota: unknown}); r != nil {
		return r
	}
	switch c.ExternalID.State {
	case fsm.Null:
		k.identity = ""
	case fsm.Given:
		linked, ok := t.link(root, c.ExternalID.Value, c.IdentityID)
		if !ok {
			return refusal(fsm.IDTaken)
		}
		k.identity = linked
	}
	if c.Ratelimits.State == fsm.Given {
		k.limits = replaced(k.limits, c.Ratelimits.Value)
	}
	k.lost = k.lost && c.ExternalID.State == fsm.Absent
	if given := c.Credits.Unlimited || c.Credits.Remaining.State != fsm.Absent || c.Credits.Refill.State == fsm.Given; !k.lost {
		k.account = after
		if c.Credits.Unlimited || c.Credits.Remaining.State == fsm.Null {
			t.unbind(k)
		}
	} else if given {
		k.own(after)
	}
	if c.Permissions.State == fsm.Given {
		k.permissions, k.left.permissions = t.resolved(root, c.Permissions.Value), nil
	}
	if c.Roles.State == fsm.Given {
		k.roles, k.left.roles = roles, nil
	}
	change(&k.name, c.Name, "")
	change(&k.meta, c.Meta, "")
	change(&k.expires, c.Expires, fsm.Never)
	change(&k.enabled, c.Enabled, k.enabled)
	k.updatedAt = t.now
	return &fsm.Done{}
}

// spendable is what a key has itself; after the loss of D-23 that is 0.
func (k *key) spendable(maybeLost bool) account {
	if k.lost && maybeLost {
		return account{limited: true}
	}
	return k.account
}

// own ends the loss of D-23.
func (k *key) own(a account) { k.account, k.lost, k.identity = a, false, "" }

// change is contract 1.8.
func change[T any](p *T, f fsm.Field[T], cleared T) {
	switch f.State {
	case fsm.Null:
		*p = cleared
	case fsm.Given:
		*p = f.Value
	}
}

func (t *Model) deleteKey(root *rootKey, c *fsm.DeleteKey) fsm.Result {
	k := t.keyByID(root, c.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	if r := need(root, either("api", k.api, "delete_key")...); r != nil {
		return r
	}
	k.deleted = true
	t.forget("key "+k.id, k.limits)
	if c.Permanent || t.version >= FourthRules {
		t.keys = slices.DeleteFunc(t.keys, func(other *key) bool { return other == k })
	}
	return &fsm.Done{}
}

func (t *Model) updateKeyCredits(root *rootKey, c *fsm.UpdateKeyCredits) fsm.Result {
	k := t.keyByID(root, c.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	if r := need(root, either("api", k.api, "update_key")...); r != nil {
		return r
	}
	if !k.lost {
		r := move(&k.account, c.Change)
		if _, refused := r.(*fsm.Refusal); !refused && !k.account.limited {
			t.unbind(k)
		}
		return r
	}
	a := k.spendable(true)
	r := move(&a, c.Change)
	if _, refused := r.(*fsm.Refusal); !refused && (c.Change.Op == fsm.SetBalance || a.remaining > 0) {
		k.own(a)
	}
	return r
}

// move is contract 4.4.
func move(a *account, c fsm.BalanceChange) fsm.Result {
	after, ok := a.moved(c)
	if !ok {
		return refusal(fsm.InvalidInput)
	}
	*a = after
	shown := a.shown()
	return &shown
}

func (t *Model) getKey(root *rootKey, q *fsm.GetKey) fsm.Result {
	k := t.keyByID(root, q.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	if r := need(root, either("api", k.api, "read_key")...); r != nil {
		return r
	}
	if q.Decrypt {
		if r := need(root, either("api", k.api, "decrypt_key")...); r != nil {
			return r
		}
		return refusal(fsm.PreconditionFailed)
	}
	return t.shownKey(k)
}

func (t *Model) whoAmI(root *rootKey, q *fsm.WhoAmI) fsm.Result {
	k := t.findKey(root, func(k *key) bool { return k.hash == q.Hash })
	if k == nil || need(root, either("api", k.api, "read_key")...) != nil {
		return refusal(fsm.KeyNotFound)
	}
	return t.shownKey(k)
}

func (t *Model) shownKey(k *key) *fsm.Key {
	shown := &fsm.Key{
		ID: k.id, Start: k.start, Name: k.name, Meta: k.meta, Enabled: k.enabled, CreatedAt: k.createdAt,
		UpdatedAt: k.updatedAt, LastUsedAt: k.usedAt, Expires: k.expires, Credits: k.spendable(true).shown(),
		Permissions: t.slugsOf(k), Roles: t.rolesOf(k),
		Ratelimits: byName(k.limits),
	}
	if k.account.limited && k.account.refilledAt > k.updatedAt && k.account.refilledAt > k.createdAt {
		shown.UpdatedAt = k.account.refilledAt
	}
	if i := t.identityOf(k); i != nil {
		shown.Identity = i.shown()
	}
	return shown
}
