package fsm

import "slices"

// importedOwner is a key or an identity as its record says it should be.
type importedOwner struct {
	id     string
	of     MarkedKind
	credit *credit // its present one; nil: none
	same   bool    // everything but the credits is as the record says
	write  func()  // makes it so
	own    func() *credit
	before func() // ends that its balance is decided by a deleted identity
}

func (m *importer) takeIdentity(w *workspace, r *IdentityRecord, credits ImportedCredits) ImportOutcome {
	i := m.identities.find(r.ID)
	if i == nil {
		if outcome, ok := m.absent(w, r.ID, MarkedIdentity); !ok {
			return outcome
		}
	} else if outcome, ok := m.existing(i.workspace, w, i.deleted); !ok {
		return outcome
	}
	ref := externalRef{w.id, r.ExternalID}
	if holder := m.external.find(ref); holder != nil && holder != i {
		return m.conflict(ImportNameTaken)
	}
	limits, refusal := checkRatelimits(r.Ratelimits, nil)
	if refusal != nil || r.Policy > BothPay {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOverLimit}
	}
	if i == nil {
		if full(w, IdentitiesQuota) {
			return refusedImport(ImportOverQuota)
		}
		i = &identity{id: r.ID, externalID: r.ExternalID, workspace: w, meta: r.Meta, policy: r.Policy, ratelimits: limits, createdAt: r.CreatedAt}
		m.addIdentity(i)
		m.opens(w, i.id, MarkedIdentity, i.ownCredit, credits)
		return imported
	}
	return m.settleOwner(w, importedOwner{
		id: i.id, of: MarkedIdentity, credit: i.credit, own: i.ownCredit,
		same: i.externalID == r.ExternalID && i.meta == r.Meta && i.policy == r.Policy && i.createdAt == r.CreatedAt && slices.Equal(i.ratelimits, limits),
		write: func() {
			m.beforeChange(i)
			m.external.remove(i)
			i.externalID, i.meta, i.policy, i.ratelimits, i.createdAt = r.ExternalID, r.Meta, r.Policy, limits, r.CreatedAt
			m.external.put(i)
			m.afterChange(i)
		},
	}, credits)
}

func (m *importer) takeKey(w *workspace, r *KeyRecord, credits ImportedCredits) ImportOutcome {
	k := m.keys.find(r.ID)
	if k == nil {
		if outcome, ok := m.absent(w, r.ID, MarkedKey); !ok {
			return outcome
		}
	} else {
		if outcome, ok := m.existing(k.api.workspace, w, k.gone()); !ok {
			return outcome
		}
		if k.api.id != r.APIID {
			return m.conflict(ImportImmutable)
		}
	}
	a, owner, found := m.apis[r.APIID], (*identity)(nil), true
	if r.IdentityID != "" {
		owner = m.identities.find(r.IdentityID)
		found = owner != nil && !owner.deleted && owner.workspace == w
	}
	permissions, known := m.permissionsOf(w, r.Permissions)
	roles, named := m.rolesOf(w, r.Roles)
	if !found || !known || !named || a == nil || a.deleted || a.workspace != w {
		return refusedImport(ImportNotFound)
	}
	if m.foreignHash(k, w, r.Hash) || r.FormerHash != (Hash{}) && m.foreignHash(k, w, r.FormerHash) {
		return m.conflict(ImportHashTaken)
	}
	limits, refusal := checkRatelimits(r.Ratelimits, nil)
	if refusal != nil {
		return ImportOutcome{Status: ImportInvalid, Reason: ImportOverLimit}
	}
	given, had := keyAccess{permissions, roles}, keyAccess{}
	if k != nil {
		had = k.access()
	}
	if m.boundKey(had, given) != nil {
		return refusedImport(ImportOverLimit)
	}
	if k == nil {
		if full(w, KeysQuota) {
			return refusedImport(ImportOverQuota)
		}
		k = &key{id: r.ID, api: a, identity: owner}
		k.set(r, limits, given)
		m.addKey(k)
		m.opens(w, k.id, MarkedKey, k.ownCredit, credits)
		return imported
	}
	return m.settleOwner(w, importedOwner{
		id: k.id, credit: k.shownCredit(), own: k.ownCredit, before: func() { m.decideOwn(k, !credits.Limited) },
		same: m.sameKey(k, r, owner, limits, given),
		write: func() {
			m.decideOwn(k, false) // with the link an orphaned key loses what says that it has nothing
			m.beforeChange(k)
			m.release(k)
			m.relink(k, owner)
			used := max(k.lastUsedAt, r.LastUsedAt)
			k.set(r, limits, had)
			m.exchange(k, given)
			k.lastUsedAt = used
			m.claim(k)
			m.afterChange(k)
		},
	}, credits)
}

// foreignHash reports whether another key has a hash, or came to the workspace with it.
func (m *importer) foreignHash(k *key, w *workspace, h Hash) bool {
	if m.rootByHash[h] != nil {
		return true
	}
	holder := m.holder(h)
	if holder != nil && holder != k {
		return true
	}
	former := m.former.find(formerRef{w, h})
	return former != k && taken(former)
}

// sameKey compares a key with what its record makes of it. When it was last used or changed makes no difference, except for a replacement.
func (m *importer) sameKey(k *key, r *KeyRecord, owner *identity, limits []Ratelimit, given keyAccess) bool {
	want := key{id: k.id, api: k.api, identity: owner}
	want.set(r, limits, given)
	has := k.visible()
	if i := k.liveIdentity(); i == nil {
		has.IdentityID, has.Lost = "", false
	}
	if m.rule == ReplaceOnConflict {
		has.LastUsedAt = min(has.LastUsedAt, r.LastUsedAt)
	} else {
		has.UpdatedAt, has.LastUsedAt = r.UpdatedAt, r.LastUsedAt
	}
	return sameRecord(&has, want.record())
}
