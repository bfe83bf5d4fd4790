package fsm

import "github.com/creditd/creditd/fsm/fields"

// keyring holds the APIs, their keys, and the migrations.
type keyring struct {
	*core
	tenants    *tenancy
	access     *access
	owners     *identityStore
	accounts   *accounts
	limits     *rateLimits
	graves     *graveyard
	apis       map[string]*api
	keys       lookup[string, *key]
	keyByHash  lookup[Hash, *key]
	migrations map[migrationRef]*migration
	former     lookup[formerRef, *key] // keys that were taken over, by the hash that they came with
	loaded     loadedKeys
}

// loadedKeys are the keys of a snapshot that is loaded, in the order of ids; empty afterwards.
type loadedKeys struct {
	list []*key
	next int // where the owner of the next credit is sought
}

// formerRef is the hash that a migrated key had before it was taken over. It stays taken in its workspace [D-25].
type formerRef struct {
	workspace *workspace
	hash      Hash
}

func (r formerRef) word() uint64 { return r.hash.word() ^ wordOf(r.workspace.id) }

// key is a credential that a customer's user presents. Fields that most keys do not have are in details, so that ten million plain keys fit
// one node.
type key struct {
	entityHeader
	id         string
	hash       Hash
	start      string
	api        *api
	identity   *identity // may be deleted; see liveIdentity
	credit     *credit   // nil or not present: unlimited
	details    *keyDetails
	createdAt  int64
	updatedAt  int64
	lastUsedAt int64
	expires    int64
	enabled    bool
	deleted    bool
	lost       bool // its deleted identity had the balance, and is gone: see orphaned
	waiting    bool // in the graveyard, at place
	place      int32
}

type keyDetails struct {
	keyInfo
	ratelimits []Ratelimit        // by name; never changed in place
	access     *keyAccess         // nil: no permissions and no roles
	former     *Hash              // of a key that was taken over: its hash before. Never changed in place
	head       *headHash[keyHead] // of a large meta; see headSum, which sets it in place under the exclusive lock
}

func (k *key) info() keyInfo {
	if k.details == nil {
		return keyInfo{}
	}
	return k.details.keyInfo
}

func (k *key) name() string { return k.info().name }

func (k *key) meta() string { return k.info().meta }

// formerHash is the hash that a key had before it was taken over; zero: it never was.
func (k *key) formerHash() Hash {
	if k.details == nil || k.details.former == nil {
		return Hash{}
	}
	return *k.details.former
}

func (k *key) formerRef() formerRef { return formerRef{k.api.workspace, k.formerHash()} }

// setDetails replaces all details except the access and the former hash: see give.
func (k *key) setDetails(info keyInfo, ratelimits []Ratelimit) {
	var d keyDetails
	if k.details != nil {
		d = *k.details
	}
	d.keyInfo, d.ratelimits = info, ratelimits
	if len(info.meta) < largeMeta {
		d.head = nil // which holds the old meta
	}
	k.replaceDetails(d)
}

// replaceDetails replaces the details. They never change in place, because a frozen copy of the key may share them.
func (k *key) replaceDetails(d keyDetails) {
	if d.keyInfo == (keyInfo{}) && d.access == nil && d.former == nil && len(d.ratelimits) == 0 {
		k.details = nil
		return
	}
	kept := d // only this one is on the heap
	k.details = &kept
}

// liveIdentity returns the key's identity; nil: there is none, or it was deleted.
func (k *key) liveIdentity() *identity {
	if k.identity == nil || k.identity.deleted {
		return nil
	}
	return k.identity
}

// orphaned reports whether the identity that paid for a key was deleted with its balance. Such a key has nothing to spend until it is linked,
// unlinked or given credits [D-23]. A deletion writes no key: an identity may have millions. The graveyard does, one with each step.
func (k *key) orphaned() bool {
	return (k.lost || k.identity != nil && k.identity.hadBalance) && !k.credit.limited()
}

// nothing is the balance of an orphaned key. It is never debited.
func nothing() *credit { return &credit{present: true} }

// shownCredit is the key's own balance as callers see it: that of an orphaned key is 0.
func (k *key) shownCredit() *credit {
	if k.orphaned() {
		return nothing()
	}
	return k.credit
}

// decideOwn is called before the key's own credits are given or made unlimited. From then on they decide, and a key that is or would be
// orphaned forgets its deleted identity. The balance of an orphaned key begins at 0.
func (ring *keyring) decideOwn(k *key, unlimited bool) {
	orphaned := k.orphaned()
	if !orphaned && !(unlimited && k.identity != nil && k.identity.hadBalance) {
		return
	}
	ring.beforeChange(k)
	ring.relink(k, nil)
	ring.afterChange(k)
	if orphaned && !unlimited {
		ring.accounts.makeLimited(k.ownCredit(), 0, Refill{})
	}
}

// gone reports whether a key is deleted, or deleted with its API or its identity. It never comes back.
func (k *key) gone() bool {
	return k.deleted || k.api.deleted || k.identity != nil && k.identity.keysDeleted
}

// ownCredit returns the key's credit. It creates an absent one if there is none.
func (k *key) ownCredit() *credit {
	if k.credit == nil {
		k.credit = &credit{owner: k.id}
	}
	return k.credit
}

func (ring *keyring) addKey(k *key) {
	ring.keys.put(k)
	ring.claim(k)
	k.list()
	ring.countLink(k, 1)
	ring.access.refer(k.access(), 1)
	k.api.workspace.used[KeysQuota]++
	ring.add(k)
}

// claim makes a key the one that its hashes find. A key that is gone never takes a hash from another one.
func (ring *keyring) claim(k *key) {
	if holder := ring.keyByHash.find(k.hash); holder == nil || !k.gone() {
		ring.keyByHash.put(k)
	}
	if hash := k.formerHash(); hash != (Hash{}) {
		if holder := ring.former.find(k.formerRef()); holder == nil || !k.gone() {
			ring.former.put(k)
		}
	}
}

// release forgets the hashes of a key that is removed.
func (ring *keyring) release(k *key) {
	if ring.keyByHash.find(k.hash) == k {
		ring.keyByHash.remove(k)
	}
	if ring.former.find(k.formerRef()) == k {
		ring.former.remove(k)
	}
}

// holder finds the key that has a hash. From ledger version 2 on, a key that is gone has none [D-25].
func (ring *keyring) holder(h Hash) *key {
	k := ring.keyByHash.find(h)
	if k != nil && ring.version >= secondRules && k.gone() {
		return nil
	}
	return k
}

// encryptionOff is the refusal of everything that needs recoverable keys. See contract 7.2.
func encryptionOff() *Refusal {
	return &Refusal{Code: PreconditionFailed, Detail: "Encryption of keys is not enabled on this deployment"}
}

// findKey finds a key that is not deleted, in the caller's workspace. It may be disabled or expired. See contract 2.3.
func (ring *keyring) findKey(root *rootKey, id string) *key {
	return visible(root, ring.keys.find(id))
}

func visible(root *rootKey, k *key) *key {
	if k == nil || k.gone() || k.api.workspace != root.workspace {
		return nil
	}
	return k
}

// permittedKey finds a key and then checks the permission on its API: see contract 1.13 for the order.
func (ring *keyring) permittedKey(root *rootKey, id string, p RootPermission) (*key, *Refusal) {
	k := ring.findKey(root, id)
	if k == nil {
		return nil, refuse(KeyNotFound)
	}
	if !root.may(p, k.api.id) {
		return nil, p.missing(k.api.id)
	}
	return k, nil
}

func (ring *keyring) showKey(k *key) *Key {
	shown := &Key{
		ID: k.id, Start: k.start, Enabled: k.enabled,
		CreatedAt: k.createdAt, UpdatedAt: k.updatedAt, LastUsedAt: k.lastUsedAt, Expires: k.expires,
		Credits: k.shownCredit().show(ring.clock), Permissions: k.access().permissionNames(ring.shownLinks()), Roles: k.access().roleNames(),
		Ratelimits: k.ratelimits(),
	}
	shown.setInfo(k.info())
	if k.credit.limited() {
		if refilled := k.credit.refilled(ring.clock); refilled > k.createdAt { // otherwise the key was rerolled, and it is the old key's refill
			shown.UpdatedAt = max(shown.UpdatedAt, refilled)
		}
	}
	if i := k.liveIdentity(); i != nil {
		shown.Identity = ring.owners.showIdentity(i)
	}
	return shown
}

func (k *key) key() RecordKey { return RecordKey{KeyKind, k.id} }

func (k *key) record() Record { return k.recordIn(nil) }

func (k *key) recordIn(spare *spares) Record {
	r := takeSpare[KeyRecord](spare)
	*r = k.plain()
	return r
}

// plain is record without the allocation.
func (k *key) plain() KeyRecord {
	r := KeyRecord{
		ID: k.id, Hash: k.hash, Start: k.start, APIID: k.api.id,
		CreatedAt: k.createdAt, UpdatedAt: k.updatedAt, LastUsedAt: k.lastUsedAt, Expires: k.expires,
		Enabled: k.enabled, Deleted: k.deleted, Ratelimits: k.ratelimits(), FormerHash: k.formerHash(), Lost: k.lost,
	}
	r.setInfo(k.info())
	if k.identity != nil {
		r.IdentityID = k.identity.id
	}
	if k.details != nil && k.details.access != nil {
		r.Permissions, r.Roles = permissionIDs(k.details.access.permissions), roleIDs(k.details.access.roles)
	}
	return r
}

// digest is computed twice for every debit that changes lastUsedAt, so it calls the record's fields directly: neither the record nor the
// visitor escapes to the heap.
func (k *key) digest() Digest {
	r := k.plain()
	return k.digestOf(&r)
}

// digestOf is the digest of the key's record, or of one that differs only in the lists.
func (k *key) digestOf(r *KeyRecord) Digest {
	v := fields.NewHashing(fields.NewHasher(uint8(KeyKind)))
	if len(r.Meta) < largeMeta {
		r.head(&v)
	} else {
		v = fields.NewHashing(k.headSum())
	}
	r.tail(&v)
	return digestFrom(v.Sum())
}

// keyHead are the fields of a key's head that may change, and the id, because a rerolled key begins with the details of the old one.
type keyHead struct {
	id, start, name, meta string
	hash                  Hash
	identity              *identity
}

// headSum is the hash of the head of a key with a large meta.
func (k *key) headSum() fields.Hasher {
	of := keyHead{k.id, k.start, k.name(), k.meta(), k.hash, k.identity}
	if h := k.details.head; h != nil && h.of == of {
		return h.sum
	}
	v := fields.NewHashing(fields.NewHasher(uint8(KeyKind)))
	r := k.plain()
	r.head(&v)
	k.details.head = &headHash[keyHead]{of, v.Hasher()}
	return v.Hasher()
}

func (ring *keyring) loadKey(r *KeyRecord) bool {
	a := ring.apis[r.APIID]
	if a == nil || !keptRatelimits(r.Ratelimits) || r.Lost && r.IdentityID != "" {
		return false
	}
	k := &key{id: r.ID, api: a, deleted: r.Deleted}
	if r.IdentityID != "" {
		if k.identity = ring.owners.identities.find(r.IdentityID); k.identity == nil {
			return false
		}
	}
	permissions, ok := resolve(ring.access.permissions, r.Permissions, func(p *permission) bool { return p.workspace == a.workspace })
	roles, known := resolve(ring.access.roles, r.Roles, func(r *role) bool { return r.workspace == a.workspace })
	if !ok || !known {
		return false
	}
	k.set(r, r.Ratelimits, keyAccess{permissions, roles})
	if !k.gone() && (taken(ring.keyByHash.find(r.Hash)) || r.FormerHash != (Hash{}) && taken(ring.former.find(formerRef{a.workspace, r.FormerHash}))) {
		return false
	}
	had := ring.keys.len()
	if ring.addKey(k); ring.keys.len() == had {
		return false // it was there
	}
	ring.loaded.list = append(ring.loaded.list, k)
	ring.graves.review(k)
	return true
}

// set makes a key what its record says. The caller looks after API, identity and deletion, and finds the permissions and roles.
func (k *key) set(r *KeyRecord, limits []Ratelimit, given keyAccess) {
	k.hash, k.start, k.expires, k.enabled, k.lost = r.Hash, r.Start, r.Expires, r.Enabled, r.Lost
	k.createdAt, k.updatedAt, k.lastUsedAt = r.CreatedAt, r.UpdatedAt, r.LastUsedAt
	k.details = nil
	k.setDetails(r.info(), limits)
	k.give(given.permissions, given.roles)
	if r.FormerHash != (Hash{}) {
		k.takeOver(r.FormerHash)
	}
}

func taken(holder *key) bool { return holder != nil && !holder.gone() }

// takeOver stores the hash that a key had in another system.
func (k *key) takeOver(former Hash) {
	var d keyDetails
	if k.details != nil {
		d = *k.details
	}
	d.former = &former
	k.replaceDetails(d)
}

func (k *key) resource() AuditResource { return AuditResource{KeyResource, k.id} }

func (k *key) hides() bool { return k.access().hides() }

// visible is the record without deleted permissions and roles that are still in the lists.
func (k *key) visible() KeyRecord {
	r, shown := k.plain(), k.access().live()
	r.Permissions, r.Roles = permissionIDs(shown.permissions), roleIDs(shown.roles)
	return r
}

func (k *key) visibleDigest() Digest {
	r := k.visible()
	return k.digestOf(&r)
}

func (ring *keyring) loadCredit(r *CreditRecord) bool {
	var c *credit
	if r.Identity {
		i := ring.owners.identities.find(r.Owner)
		if i == nil {
			return false
		}
		c = i.ownCredit()
	} else {
		k := ring.loadedKey(r.Owner)
		if k == nil {
			return false
		}
		c = k.ownCredit()
	}
	if c.present || r.Remaining < 0 || !r.Refill.kept() {
		return false
	}
	c.present, c.remaining, c.refill = true, r.Remaining, r.Refill
	c.refilledAt, c.considered, c.nextCredit = r.RefilledAt, r.Considered, r.nextCredit
	ring.accounts.creditRecords++
	ring.loading.outstanding += uint64(c.remaining)
	ring.add(c)
	return true
}

// loadedKey finds a key while a snapshot is loaded. Keys and their credits come in the same order, so most are the next one of the list.
func (ring *keyring) loadedKey(id string) *key {
	for l := &ring.loaded; l.next < len(l.list); l.next++ {
		switch k := l.list[l.next]; {
		case k.id == id:
			l.next++
			return k
		case k.id > id:
			return ring.keys.find(id)
		}
	}
	return ring.keys.find(id)
}

func (ring *keyring) hashTaken(h Hash) bool {
	return ring.holder(h) != nil || ring.tenants.rootByHash[h] != nil
}
