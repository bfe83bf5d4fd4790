package fsm

// identity groups the keys of one user of a customer and may hold a balance that they share. A deleted one is kept, because
// keys still refer to it.
type identity struct {
	head
	id         string
	externalID string
	workspace  *workspace
	meta       string
	credit     *credit // nil or not present: unlimited
	policy     Policy
	ratelimits []Ratelimit // by name; never changed in place
	createdAt  int64
	deleted    bool

	keys []apiKeys // its keys that are not deleted; none of a deleted identity
}

// ownCredit returns the identity's credit record, making an absent one where there is none.
func (i *identity) ownCredit() *credit {
	if i.credit == nil {
		i.credit = &credit{owner: i.id, identity: true}
	}
	return i.credit
}

func (i *identity) ref() externalRef { return externalRef{i.workspace.id, i.externalID} }

// identityLink is what a key will be linked to: an identity that exists, one to be made, or none.
type identityLink struct {
	existing *identity
	create   *identity
}

// planLink finds the live identity of an externalId, or plans a new one under the proposed id. It changes nothing.
func (s *State) planLink(root *rootKey, externalID, proposedID string) (identityLink, *Refusal) {
	if externalID == "" {
		return identityLink{}, nil
	}
	if i := s.external[externalRef{root.workspace.id, externalID}]; i != nil {
		return identityLink{existing: i}, nil
	}
	if s.identities[proposedID] != nil {
		return identityLink{}, refuse(IDTaken)
	}
	return identityLink{create: &identity{
		id: proposedID, externalID: externalID, workspace: root.workspace, createdAt: s.clock,
	}}, nil
}

// link carries a plan out and returns the identity, or nil for none.
func (s *State) link(l identityLink) *identity {
	if l.create != nil {
		s.addIdentity(l.create)
		return l.create
	}
	return l.existing
}

func (s *State) addIdentity(i *identity) {
	s.identities[i.id] = i
	s.external[i.ref()] = i
	i.workspace.identities.insert(i)
	s.added(i)
}

// findIdentity finds a live identity of the caller's workspace by id, else by externalId.
func (s *State) findIdentity(root *rootKey, ref string) *identity {
	if i := s.identities[ref]; i != nil && !i.deleted && i.workspace == root.workspace {
		return i
	}
	return s.external[externalRef{root.workspace.id, ref}]
}

func (s *State) showIdentity(i *identity) *Identity {
	return &Identity{
		ID: i.id, ExternalID: i.externalID, Meta: i.meta, Credits: i.credit.show(s.clock), Policy: i.policy,
		Ratelimits: i.ratelimits,
	}
}

func (i *identity) key() RecordKey { return RecordKey{IdentityKind, i.id} }

func (i *identity) record() Record {
	return &IdentityRecord{
		ID: i.id, ExternalID: i.externalID, WorkspaceID: i.workspace.id, Meta: i.meta, Policy: i.policy,
		CreatedAt: i.createdAt, Deleted: i.deleted, Ratelimits: i.ratelimits,
	}
}

func (i *identity) digest() Digest { return digestOf(i.record()) }

func (s *State) loadIdentity(r *IdentityRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.identities[r.ID] != nil || r.Policy > BothPay || !keptRatelimits(r.Ratelimits) {
		return false
	}
	i := &identity{
		id: r.ID, externalID: r.ExternalID, workspace: w, meta: r.Meta, policy: r.Policy,
		ratelimits: r.Ratelimits, createdAt: r.CreatedAt, deleted: r.Deleted,
	}
	if r.Deleted {
		s.identities[i.id] = i
		s.added(i)
		return true
	}
	if s.external[i.ref()] != nil {
		return false
	}
	s.addIdentity(i)
	return true
}
