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
	i := m.identities[r.ID]
	if i == nil {
		if outcome, ok := m.absent(w, r.ID, MarkedIdentity); !ok {
			return outcome
		}
	} else if outcome, ok := m.existing(i.workspace, w, i.deleted); !ok {
		return outcome
	}
	ref := externalRef{w.id, r.ExternalID}
	if holder := m.external[ref]; holder != nil && holder != i {
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
			delete(m.external, i.ref())
			i.externalID, i.meta, i.policy, i.ratelimits, i.createdAt = r.ExternalID, r.Meta, r.Policy, limits, r.CreatedAt
			m.external[ref] = i
			m.afterChange(i)
		},
	}, credits)
}

func (m *importer) takeKey(w *workspace, r *KeyRecord, credits ImportedCredits) ImportOutcome {
	k := m.keys[r.ID]
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
		owner = m.identities[r.IdentityID]
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
		k = &key{
			id: r.ID, hash: r.Hash, start: r.Start, api: a, identity: owner, createdAt: r.CreatedAt, updatedAt: r.UpdatedAt,
			lastUsedAt: r.LastUsedAt, expires: r.Expires, enabled: r.Enabled,
		}
		k.describe(r, limits, given)
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
			k.hash, k.start, k.expires, k.enabled = r.Hash, r.Start, r.Expires, r.Enabled
			k.createdAt, k.updatedAt, k.lastUsedAt = r.CreatedAt, r.UpdatedAt, max(k.lastUsedAt, r.LastUsedAt)
			k.describe(r, limits, given)
			m.claim(k)
			m.afterChange(k)
		},
	}, credits)
}

// describe replaces the details of a key.
func (k *key) describe(r *KeyRecord, limits []Ratelimit, given keyAccess) {
	var d keyDetails
	if r.FormerHash != (Hash{}) {
		former := r.FormerHash
		d.former = &former
	}
	k.replaceDetails(d)
	k.setDetails(r.Name, r.Meta, limits)
	k.give(given.permissions, given.roles)
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
	former := m.former[formerRef{w, h}]
	return former != k && taken(former)
}

// sameKey compares a key with its record. When it was last used or changed makes no difference, except for a replacement.
func (m *importer) sameKey(k *key, r *KeyRecord, owner *identity, limits []Ratelimit, given keyAccess) bool {
	had := k.access()
	if m.rule == ReplaceOnConflict && (k.updatedAt != r.UpdatedAt || k.lastUsedAt < r.LastUsedAt) {
		return false
	}
	return k.hash == r.Hash && k.formerHash() == r.FormerHash && k.start == r.Start && k.liveIdentity() == owner && k.name() == r.Name &&
		k.meta() == r.Meta && k.createdAt == r.CreatedAt && k.expires == r.Expires && k.enabled == r.Enabled &&
		slices.Equal(k.ratelimits(), limits) && slices.Equal(sortedPermissions(slices.Clone(had.permissions)), given.permissions) &&
		slices.Equal(sortedRoles(slices.Clone(had.roles)), given.roles)
}
