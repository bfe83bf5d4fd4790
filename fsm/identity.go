package fsm

import "github.com/creditd/creditd/fsm/fields"

// identityStore holds the identities of all workspaces.
type identityStore struct {
	*core
	tenants    *tenancy
	accounts   *accounts
	graves     *graveyard
	identities lookup[string, *identity]
	external   lookup[externalRef, *identity] // live identities only
}

// externalRef is the name that a workspace uses for an identity.
type externalRef struct{ workspaceID, externalID string }

func (r externalRef) word() uint64 {
	h := fields.NewHasher(0)
	h.String(r.workspaceID)
	h.String(r.externalID)
	return h.First()
}

// identity groups keys of one user and may hold a balance that they share. A deleted identity is kept while keys refer to it,
// and from ledger version 5 on the graveyard unlinks them.
type identity struct {
	entityHeader
	id         string
	externalID string
	workspace  *workspace
	meta       string
	credit     *credit // nil or not present: unlimited
	policy     Policy
	ratelimits []Ratelimit // by name; never changed in place
	createdAt  int64
	deleted    bool

	// Of a deleted identity; see keyring.orphaned and key.gone.
	hadBalance  bool
	keysDeleted bool

	head *headHash[string] // of a large meta, which alone of the head changes

	keys   []apiKeys // its keys that are not deleted by themselves, by API
	linked int       // keys that refer to it

	waiting bool // in the graveyard, at place
	place   int32
}

// ownCredit returns the identity's credit. It creates an absent one if there is none.
func (i *identity) ownCredit() *credit {
	if i.credit == nil {
		i.credit = &credit{owner: i.id, identity: true}
	}
	return i.credit
}

func (i *identity) ref() externalRef { return externalRef{i.workspace.id, i.externalID} }

// identityLink is the identity that a key will have: an existing one, a new one, or none.
type identityLink struct {
	existing *identity
	create   *identity
}

// adds is the number of identities that the link adds.
func (l identityLink) adds() int64 {
	if l.create != nil {
		return 1
	}
	return 0
}

// planLink finds the identity of an externalId, or plans a new one with the proposed id. It changes nothing.
func (x *identityStore) planLink(root *rootKey, externalID, proposedID string) (identityLink, *Refusal) {
	if externalID == "" {
		return identityLink{}, nil
	}
	if i := x.external.find(externalRef{root.workspace.id, externalID}); i != nil {
		return identityLink{existing: i}, nil
	}
	if x.identities.find(proposedID) != nil {
		return identityLink{}, refuse(IDTaken)
	}
	return identityLink{create: &identity{
		id: proposedID, externalID: externalID, workspace: root.workspace, createdAt: x.clock,
	}}, nil
}

// link executes a plan and returns the identity, or nil.
func (x *identityStore) link(l identityLink) *identity {
	if l.create != nil {
		x.addIdentity(l.create)
		return l.create
	}
	return l.existing
}

func (x *identityStore) addIdentity(i *identity) {
	x.identities.put(i)
	x.external.put(i)
	i.workspace.identities.insert(i)
	i.workspace.used[IdentitiesQuota]++
	x.add(i)
}

// removeIdentity removes a deleted identity to which no key refers. One from below ledger version 2 may have a balance.
func (x *identityStore) removeIdentity(i *identity) {
	if i.credit.limited() {
		x.accounts.makeUnlimited(i.credit)
	}
	if i.credit != nil {
		x.remove(i.credit)
	}
	x.remove(i)
	x.identities.remove(i)
	i.workspace.used[IdentitiesQuota]--
	x.graves.drop(i)
}

// findIdentity finds an identity that is not deleted, in the caller's workspace, by id or else by externalId.
func (x *identityStore) findIdentity(root *rootKey, ref string) *identity {
	if i := x.identities.find(ref); i != nil && !i.deleted && i.workspace == root.workspace {
		return i
	}
	return x.external.find(externalRef{root.workspace.id, ref})
}

func (x *identityStore) showIdentity(i *identity) *Identity {
	return &Identity{
		ID: i.id, ExternalID: i.externalID, Meta: i.meta, Credits: i.credit.show(x.clock), Policy: i.policy,
		Ratelimits: i.ratelimits,
	}
}

func (i *identity) key() RecordKey { return RecordKey{IdentityKind, i.id} }

func (i *identity) record() Record {
	return &IdentityRecord{
		ID: i.id, ExternalID: i.externalID, WorkspaceID: i.workspace.id, Meta: i.meta, Policy: i.policy,
		CreatedAt: i.createdAt, Deleted: i.deleted, Ratelimits: i.ratelimits, HadBalance: i.hadBalance, KeysDeleted: i.keysDeleted,
	}
}

func (i *identity) digest() Digest {
	r, v := i.record().(*IdentityRecord), fields.NewHashing(fields.NewHasher(uint8(IdentityKind)))
	switch {
	case len(i.meta) < largeMeta:
		i.head = nil
		r.head(&v)
	case i.head != nil && i.head.of == i.meta:
		v = fields.NewHashing(i.head.sum)
	default:
		r.head(&v)
		i.head = &headHash[string]{i.meta, v.Hasher()}
	}
	r.tail(&v)
	return digestFrom(v.Sum())
}

func (x *identityStore) loadIdentity(r *IdentityRecord) bool {
	w := x.tenants.workspaces[r.WorkspaceID]
	if w == nil || x.identities.find(r.ID) != nil || r.Policy > BothPay || !keptRatelimits(r.Ratelimits) ||
		!r.Deleted && (r.HadBalance || r.KeysDeleted) {
		return false
	}
	i := &identity{
		id: r.ID, externalID: r.ExternalID, workspace: w, meta: r.Meta, policy: r.Policy,
		ratelimits: r.Ratelimits, createdAt: r.CreatedAt, deleted: r.Deleted, hadBalance: r.HadBalance, keysDeleted: r.KeysDeleted,
	}
	if r.Deleted {
		x.identities.put(i)
		w.used[IdentitiesQuota]++
		x.add(i)
		x.graves.review(i)
		return true
	}
	if x.external.find(i.ref()) != nil {
		return false
	}
	x.addIdentity(i)
	return true
}

func (i *identity) resource() AuditResource { return AuditResource{IdentityResource, i.id} }
