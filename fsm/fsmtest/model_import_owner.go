package fsmtest

import (
	"slices"
	"time"

	"github.com/creditd/creditd/fsm"
)

// ownerOf finds a key or an identity of a workspace.
func (m *importing) ownerOf(w string, of fsm.MarkedKind, id string) (o importedOwner, exists, gone bool) {
	o = importedOwner{id: id, of: of}
	if of == fsm.MarkedIdentity {
		i := first(m.identities, func(i *identity) bool { return i.id == id && i.workspace == w })
		if i == nil {
			return o, false, false
		}
		o.has, o.become = i.account, func(a account) { i.account = a }
		return o, true, i.deleted
	}
	k := first(m.keys, func(k *key) bool { return k.id == id && m.apiOf(k).workspace == w })
	if k == nil {
		return o, false, false
	}
	o.has, o.become = k.spendable(true), func(a account) {
		if k.lost {
			k.own(account{})
		}
		if k.account = a; !a.limited {
			m.unbind(k)
		}
	}
	return o, true, k.deleted || k.ended || m.apiOf(k).deleted
}

func (m *importing) accountOf(of fsm.MarkedKind, id string) *account {
	if of == fsm.MarkedIdentity {
		return &first(m.identities, func(i *identity) bool { return i.id == id }).account
	}
	return &first(m.keys, func(k *key) bool { return k.id == id }).account
}

// catchUp gives the refills that were due before the import and that the source had not given.
func (m *importing) catchUp(of fsm.MarkedKind, id string, n fsm.ImportedCredits) {
	a, mark := m.accountOf(of, id), m.markOf(of, id)
	for day := n.Considered + 1; n.Refill != (fsm.Refill{}) && day <= m.now/dayMillis; day++ {
		midnight := time.UnixMilli(day * dayMillis).UTC()
		if mark != nil {
			mark.midnight(*a, midnight)
		}
		a.midnight(midnight)
	}
}

func (m *importing) takeIdentity(w string, r *fsm.IdentityRecord, n fsm.ImportedCredits) fsm.ImportOutcome {
	i := first(m.identities, func(i *identity) bool { return i.id == r.ID })
	if i == nil {
		if outcome, ok := m.marked(w, m.markOf(fsm.MarkedIdentity, r.ID), false); !ok {
			return outcome
		}
	} else if outcome, ok := m.existing(i.workspace, w, i.deleted); !ok {
		return outcome
	}
	if holder := m.identityByExternalID(&rootKey{workspace: w}, r.ExternalID); holder != nil && holder != i {
		return m.conflict(fsm.ImportNameTaken)
	}
	limits := replaced(nil, r.Ratelimits)
	if !lawful(r.Ratelimits) {
		return invalidImport(fsm.ImportOverLimit)
	}
	if i == nil {
		if m.full(w, fsm.IdentitiesQuota) {
			return refusedImport(fsm.ImportOverQuota)
		}
		m.identities = append(m.identities, &identity{
			id: r.ID, externalID: r.ExternalID, workspace: w, meta: r.Meta, policy: r.Policy, limits: limits, createdAt: r.CreatedAt, account: stated(n),
		})
		m.track(w, fsm.MarkedIdentity, r.ID, n)
		m.catchUp(fsm.MarkedIdentity, r.ID, n)
		return imported
	}
	o, _, _ := m.ownerOf(w, fsm.MarkedIdentity, i.id)
	o.same = i.externalID == r.ExternalID && i.meta == r.Meta && i.policy == r.Policy && i.createdAt == r.CreatedAt && slices.Equal(byName(i.limits), byName(limits))
	o.write = func() {
		i.externalID, i.meta, i.policy, i.limits, i.createdAt = r.ExternalID, r.Meta, r.Policy, limits, r.CreatedAt
	}
	return m.settleOwner(w, o, n)
}

// lawful reports whether rate limits may be stored.
func lawful(limits []fsm.Ratelimit) bool {
	return !slices.ContainsFunc(limits, func(r fsm.Ratelimit) bool { return r.Limit < 1 || r.Duration < 1000 })
}

func (m *importing) takeKey(w string, r *fsm.KeyRecord, n fsm.ImportedCredits) fsm.ImportOutcome {
	k := first(m.keys, func(k *key) bool { return k.id == r.ID })
	if k == nil {
		if outcome, ok := m.marked(w, m.markOf(fsm.MarkedKey, r.ID), false); !ok {
			return outcome
		}
	} else if outcome, ok := m.existing(m.apiOf(k).workspace, w, k.deleted || k.ended || m.apiOf(k).deleted); !ok {
		return outcome
	} else if k.api != r.APIID {
		return m.conflict(fsm.ImportImmutable)
	}
	in := &rootKey{workspace: w}
	owned := r.IdentityID == "" || first(m.identities, func(i *identity) bool { return i.id == r.IdentityID && i.workspace == w && !i.deleted }) != nil
	if !owned || m.findAPI(in, r.APIID) == nil || !m.hasPermissions(w, r.Permissions) || !m.hasRoles(w, r.Roles) {
		return refusedImport(fsm.ImportNotFound)
	}
	if m.foreign(k, w, r.Hash) || r.FormerHash != (fsm.Hash{}) && m.foreign(k, w, r.FormerHash) {
		return m.conflict(fsm.ImportHashTaken)
	}
	limits, permissions, roles := replaced(nil, r.Ratelimits), union(nil, r.Permissions), union(nil, r.Roles)
	switch {
	case !lawful(r.Ratelimits):
		return invalidImport(fsm.ImportOverLimit)
	case m.overfull(k, permissions, roles):
		return refusedImport(fsm.ImportOverLimit)
	case k == nil && m.full(w, fsm.KeysQuota):
		return refusedImport(fsm.ImportOverQuota)
	}
	fresh := &key{
		id: r.ID, hash: r.Hash, former: r.FormerHash, start: r.Start, api: r.APIID, identity: r.IdentityID, name: r.Name, meta: r.Meta, createdAt: r.CreatedAt,
		updatedAt: r.UpdatedAt, usedAt: r.LastUsedAt, expires: r.Expires, enabled: r.Enabled, limits: limits, permissions: permissions, roles: roles,
	}
	if k == nil {
		fresh.account = stated(n)
		m.keys = append(m.keys, fresh)
		m.track(w, fsm.MarkedKey, r.ID, n)
		m.catchUp(fsm.MarkedKey, r.ID, n)
		return imported
	}
	o, _, _ := m.ownerOf(w, fsm.MarkedKey, k.id)
	o.same = m.sameKey(k, fresh)
	o.write = func() {
		if k.lost {
			k.own(account{limited: true})
		}
		fresh.account, fresh.usedAt = k.account, max(k.usedAt, r.LastUsedAt)
		*k = *fresh
	}
	return m.settleOwner(w, o, n)
}

// sameKey compares everything but the credits. When a key was used or changed last makes a difference only to a replacement.
func (m *importing) sameKey(k, fresh *key) bool {
	linked := ""
	if i := m.identityOf(k); i != nil {
		linked = i.id
	}
	return k.hash == fresh.hash && k.former == fresh.former && k.start == fresh.start && linked == fresh.identity && k.name == fresh.name && k.meta == fresh.meta &&
		k.createdAt == fresh.createdAt && k.expires == fresh.expires && k.enabled == fresh.enabled && slices.Equal(byName(k.limits), byName(fresh.limits)) &&
		sameSet(k.permissions, fresh.permissions) && sameSet(k.roles, fresh.roles) &&
		(!m.replaces() || k.updatedAt == fresh.updatedAt && k.usedAt >= fresh.usedAt)
}

func sameSet(a, b []string) bool { return len(a) == len(b) && len(without(a, b...)) == 0 }

// foreign reports whether something else has a hash, or came to the workspace with it.
func (m *importing) foreign(k *key, w string, h fsm.Hash) bool {
	return slices.ContainsFunc(m.rootKeys, func(o *rootKey) bool { return o.hash == h }) || slices.ContainsFunc(m.keys, func(o *key) bool {
		return o != k && !m.freed(o) && (o.hash == h || o.former == h && m.apiOf(o).workspace == w)
	})
}
