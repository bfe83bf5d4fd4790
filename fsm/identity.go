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

func (s *State) createIdentity(root *rootKey, c *CreateIdentity) Result {
	if !root.may(createIdentityPermission, "") {
		return createIdentityPermission.missing("")
	}
	credits, refusal := c.Credits.check()
	if refusal != nil {
		return refusal
	}
	ratelimits, refusal := checkRatelimits(c.Ratelimits, nil)
	if refusal != nil {
		return refusal
	}
	if s.external[externalRef{root.workspace.id, c.ExternalID}] != nil {
		return refuse(IdentityExists)
	}
	if s.identities[c.ID] != nil {
		return refuse(IDTaken)
	}
	i := &identity{
		id: c.ID, externalID: c.ExternalID, workspace: root.workspace, meta: c.Meta, policy: c.Policy, ratelimits: ratelimits,
		createdAt: s.clock,
	}
	s.addIdentity(i)
	if credits.Limited {
		s.limit(i.ownCredit(), credits.Remaining, credits.Refill)
	}
	return &Created{ID: i.id}
}

// updateIdentity checks the permission before it looks: see contract 1.13.
func (s *State) updateIdentity(root *rootKey, c *UpdateIdentity) Result {
	if !root.may(updateIdentityPermission, "") {
		return updateIdentityPermission.missing("")
	}
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	if refusal := c.Credits.check(i.credit); refusal != nil {
		return refusal
	}
	ratelimits, refusal := i.replaceRatelimits(c.Ratelimits)
	if refusal != nil {
		return refusal
	}
	s.change(i)
	i.meta = c.Meta.over(i.meta)
	i.policy = c.Policy.over(i.policy)
	i.ratelimits = ratelimits
	s.changed(i)
	if c.Credits != (CreditsChange{}) {
		s.changeCredits(i.ownCredit(), c.Credits)
	}
	return s.showIdentity(i)
}

func (s *State) updateIdentityCredits(root *rootKey, c *UpdateIdentityCredits) Result {
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	if !root.may(updateIdentityPermission, i.id) {
		return updateIdentityPermission.missing(i.id)
	}
	after, refusal := c.Change.check(i.credit, s.clock)
	if refusal != nil {
		return refusal
	}
	return s.changeBalance(i.ownCredit(), c.Change, after)
}

// deleteIdentity frees the externalId at once. The balance stays with the deleted record: nothing can spend or refill it.
func (s *State) deleteIdentity(root *rootKey, c *DeleteIdentity) Result {
	if !root.may(deleteIdentityPermission, "") {
		return deleteIdentityPermission.missing("")
	}
	i := s.findIdentity(root, c.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	s.change(i)
	i.deleted = true
	s.changed(i)
	delete(s.external, i.ref())
	i.workspace.identities.remove(i)
	i.keys = nil
	return done
}

func (s *State) getIdentity(root *rootKey, q *GetIdentity) Result {
	i := s.findIdentity(root, q.Identity)
	if i == nil {
		return refuse(IdentityNotFound)
	}
	if !root.may(readIdentityPermission, i.id) {
		return readIdentityPermission.missing(i.id)
	}
	return s.showIdentity(i)
}

func (s *State) showIdentity(i *identity) *Identity {
	return &Identity{
		ID: i.id, ExternalID: i.externalID, Meta: i.meta, Credits: i.credit.show(s.clock), Policy: i.policy,
		Ratelimits: i.ratelimits,
	}
}
