package fsm

// key is a credential that a customer's user presents. Fields that most keys lack are behind details, so that ten million plain
// keys fit one node.
type key struct {
	head
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
}

type keyDetails struct {
	name, meta string
	ratelimits []Ratelimit // by name; never changed in place
	access     *keyAccess  // nil: no permissions and no roles
}

func (k *key) name() string {
	if k.details == nil {
		return ""
	}
	return k.details.name
}

func (k *key) meta() string {
	if k.details == nil {
		return ""
	}
	return k.details.meta
}

// describe replaces all details but the access: see give.
func (k *key) describe(name, meta string, ratelimits []Ratelimit) {
	var d keyDetails
	if k.details != nil {
		d = *k.details
	}
	d.name, d.meta, d.ratelimits = name, meta, ratelimits
	k.detail(d)
}

// detail replaces the details. They are never changed in place: a frozen copy of the key may share them.
func (k *key) detail(d keyDetails) {
	if d.name == "" && d.meta == "" && d.access == nil && len(d.ratelimits) == 0 {
		k.details = nil
		return
	}
	k.details = &d
}

// liveIdentity returns the key's identity unless there is none or it was deleted.
func (k *key) liveIdentity() *identity {
	if k.identity == nil || k.identity.deleted {
		return nil
	}
	return k.identity
}

// ownCredit returns the key's credit record, making an absent one where there is none.
func (k *key) ownCredit() *credit {
	if k.credit == nil {
		k.credit = &credit{owner: k.id}
	}
	return k.credit
}

func (s *State) createKey(root *rootKey, c *CreateKey) Result {
	a := s.findAPI(root, c.APIID)
	if a == nil || !root.may(createKeyPermission, a.id) {
		return refuse(APINotFound)
	}
	if c.Recoverable {
		if !root.may(encryptKeyPermission, a.id) {
			return refuse(APINotFound)
		}
		return encryptionOff()
	}
	credits, refusal := c.Credits.check()
	if refusal != nil {
		return refusal
	}
	ratelimits, refusal := checkRatelimits(c.Ratelimits, nil)
	if refusal != nil {
		return refusal
	}
	roles, refusal := s.findRoles(root, c.Roles)
	if refusal != nil {
		return refusal
	}
	if s.keys[c.ID] != nil || s.keyByHash[c.Hash] != nil || s.rootByHash[c.Hash] != nil {
		return refuse(IDTaken)
	}
	owner, refusal := s.planLink(root, c.ExternalID, c.IdentityID)
	if refusal != nil {
		return refusal
	}
	slugs := s.planSlugs(root, c.Permissions)
	if refusal := s.free(slugs); refusal != nil {
		return refusal
	}

	k := &key{
		id: c.ID, hash: c.Hash, start: c.Start, api: a, identity: s.link(owner),
		createdAt: s.clock, expires: c.Expires, enabled: c.Enabled,
	}
	k.describe(c.Name, c.Meta, ratelimits)
	k.give(s.carryOut(slugs), roles)
	s.addKey(k)
	if credits.Limited {
		s.limit(k.ownCredit(), credits.Remaining, credits.Refill)
	}
	return &Created{ID: k.id}
}

func (s *State) addKey(k *key) {
	s.keys[k.id] = k
	s.keyByHash[k.hash] = k
	s.list(k)
	s.added(k)
}

// encryptionOff is the answer to everything that needs recoverable keys. See contract 7.2.
func encryptionOff() *Refusal {
	return &Refusal{Code: PreconditionFailed, Detail: "Encryption of keys is not enabled on this deployment"}
}

// findKey finds a live key that the caller can see. Disabled and expired keys are live. See contract 2.3.
func (s *State) findKey(root *rootKey, id string) *key {
	return visible(root, s.keys[id])
}

func visible(root *rootKey, k *key) *key {
	if k == nil || k.deleted || k.api.deleted || k.api.workspace != root.workspace {
		return nil
	}
	return k
}

// permittedKey finds a key and then checks the permission on its API: see contract 1.13 for that order.
func (s *State) permittedKey(root *rootKey, id string, p permission) (*key, *Refusal) {
	k := s.findKey(root, id)
	if k == nil {
		return nil, refuse(KeyNotFound)
	}
	if !root.may(p, k.api.id) {
		return nil, p.missing(k.api.id)
	}
	return k, nil
}

func (s *State) updateKey(root *rootKey, c *UpdateKey) Result {
	k, refusal := s.permittedKey(root, c.KeyID, updateKeyPermission)
	if refusal != nil {
		return refusal
	}
	if refusal := c.Credits.check(k.credit); refusal != nil {
		return refusal
	}
	ratelimits := k.ratelimits()
	if c.Ratelimits.State != Absent {
		if ratelimits, refusal = checkRatelimits(c.Ratelimits.Value, ratelimits); refusal != nil {
			return refusal
		}
	}
	roles, refusal := s.findRoles(root, c.Roles.Value)
	if refusal != nil {
		return refusal
	}
	var owner identityLink
	if c.ExternalID.State == Given {
		if owner, refusal = s.planLink(root, c.ExternalID.Value, c.IdentityID); refusal != nil {
			return refusal
		}
	}
	slugs := s.planSlugs(root, c.Permissions.Value)
	if refusal := s.free(slugs); refusal != nil {
		return refusal
	}

	s.change(k)
	if c.ExternalID.State != Absent {
		s.relink(k, s.link(owner))
	}
	k.describe(c.Name.over(k.name()), c.Meta.over(k.meta()), ratelimits)
	if c.Permissions.State != Absent {
		k.give(s.carryOut(slugs), k.access().roles)
	}
	if c.Roles.State != Absent {
		k.give(k.access().slugs, roles)
	}
	switch c.Expires.State {
	case Null:
		k.expires = Never
	case Given:
		k.expires = c.Expires.Value
	}
	if c.Enabled.State == Given {
		k.enabled = c.Enabled.Value
	}
	k.updatedAt = s.clock
	s.changed(k)
	if c.Credits != (CreditsChange{}) {
		s.changeCredits(k.ownCredit(), c.Credits)
	}
	return done
}

// over returns what an optional string becomes: "" stands for none.
func (f Field[T]) over(old T) T {
	switch f.State {
	case Given:
		return f.Value
	case Null:
		var none T
		return none
	default:
		return old
	}
}

func (s *State) updateKeyCredits(root *rootKey, c *UpdateKeyCredits) Result {
	k, refusal := s.permittedKey(root, c.KeyID, updateKeyPermission)
	if refusal != nil {
		return refusal
	}
	after, refusal := c.Change.check(k.credit, s.clock)
	if refusal != nil {
		return refusal
	}
	return s.changeBalance(k.ownCredit(), c.Change, after)
}

// deleteKey hides a key; a permanent deletion also removes what is kept of it.
func (s *State) deleteKey(root *rootKey, c *DeleteKey) Result {
	k, refusal := s.permittedKey(root, c.KeyID, deleteKeyPermission)
	if refusal != nil {
		return refusal
	}
	s.unlist(k)
	if !c.Permanent {
		s.change(k)
		k.deleted = true
		s.changed(k)
		return done
	}
	if k.credit.limited() {
		s.unlimit(k.credit)
	}
	if k.credit != nil {
		s.remove(k.credit)
	}
	s.remove(k)
	delete(s.keys, k.id)
	delete(s.keyByHash, k.hash)
	return done
}

// getKey looks before it checks the permission: see contract 1.13.
func (s *State) getKey(root *rootKey, q *GetKey) Result {
	k, refusal := s.permittedKey(root, q.KeyID, readKeyPermission)
	if refusal != nil {
		return refusal
	}
	if q.Decrypt {
		if !root.may(decryptKeyPermission, k.api.id) {
			return decryptKeyPermission.missing(k.api.id)
		}
		return encryptionOff()
	}
	return s.showKey(k)
}

// whoAmI hides a key that the caller may not read behind the answer for one that does not exist.
func (s *State) whoAmI(root *rootKey, q *WhoAmI) Result {
	k := visible(root, s.keyByHash[q.Hash])
	if k == nil || !root.may(readKeyPermission, k.api.id) {
		return refuse(KeyNotFound)
	}
	return s.showKey(k)
}

func (s *State) showKey(k *key) *Key {
	shown := &Key{
		ID: k.id, Start: k.start, Name: k.name(), Meta: k.meta(), Enabled: k.enabled,
		CreatedAt: k.createdAt, UpdatedAt: k.updatedAt, LastUsedAt: k.lastUsedAt, Expires: k.expires,
		Credits: k.credit.show(s.clock), Permissions: k.access().permissionNames(), Roles: k.access().roleNames(),
		Ratelimits: k.ratelimits(),
	}
	if k.credit.limited() {
		if refilled := k.credit.refilled(s.clock); refilled > k.createdAt { // else it is that of the key it was rerolled from
			shown.UpdatedAt = max(shown.UpdatedAt, refilled)
		}
	}
	if i := k.liveIdentity(); i != nil {
		shown.Identity = s.showIdentity(i)
	}
	return shown
}
