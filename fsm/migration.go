package fsm

// Algorithm says how the system that keys come from kept them. See contract 2.3.
type Algorithm uint8

// The algorithms.
const (
	// SHA256: the hash of the full key, as here. Such a key works at once.
	SHA256 Algorithm = iota + 1
	// PrefixedAPIKey: the hash of the last part of the key. Such a key is found by a verification that names the migration, which then
	// keeps the hash of the full key instead. Whoever makes commands maps these hashes to a range of their own, so that none
	// of them can be the hash of a full key.
	PrefixedAPIKey
)

// migration is a source of keys that a workspace has agreed to.
type migration struct {
	head
	id        string
	workspace *workspace
	algorithm Algorithm
	createdAt int64
}

type migrationRef struct{ workspaceID, id string }

// MigrationRecord is a migration at rest.
type MigrationRecord struct {
	ID          string
	WorkspaceID string
	Algorithm   Algorithm
	CreatedAt   int64
}

// CreateMigration registers a migration for the caller's workspace. See contract 7.2.
type CreateMigration struct {
	ID        string
	Algorithm Algorithm
}

// MigrateKeys adds keys of which only hashes are known. See contract 2.3.
type MigrateKeys struct {
	MigrationID string
	APIID       string
	Keys        []MigratedKey
}

// MigratedKey is one of them.
type MigratedKey struct {
	ID         string
	Hash       Hash
	Form       Algorithm // the one whose hashes look like this; 0: no such hash
	Name       string
	ExternalID string // empty: no identity
	IdentityID string // id for the identity if ExternalID is new
	Meta       string
	Expires    int64 // Unix ms, or Never
	Enabled    bool
	Credits    NewCredits
	MigratedAccess
}

// MigratedAccess is what most migrated keys lack.
type MigratedAccess struct {
	Permissions []SlugRef
	Roles       []RoleRef
	Ratelimits  []Ratelimit
}

// RoleRef is a role that a command names by its name.
type RoleRef struct {
	Name string
	ID   string // id for the role if the name is new
}

// Empty reports whether nothing is in it.
func (a *MigratedAccess) Empty() bool { return len(a.Permissions)+len(a.Roles)+len(a.Ratelimits) == 0 }

// Migrated has the id of each key that was added, and "" for each that was not, in the order of the command.
type Migrated struct{ IDs []string }

// VerifyMigrated is a verification of a key that may be known only under its hash in another system. See contract 3.3.
type VerifyMigrated struct {
	Verify      VerifyKey
	MigrationID string
	Hash        Hash   // under which the key would be known; zero: the key has not the form of PrefixedAPIKey
	Start       string // what is kept of it in the clear from then on
}

func (m *migration) digest() Digest { return digestOf(m.record()) }

func (m *migration) record() Record {
	return &MigrationRecord{ID: m.id, WorkspaceID: m.workspace.id, Algorithm: m.algorithm, CreatedAt: m.createdAt}
}

func (r *MigrationRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.WorkspaceID)
	h.int(int64(r.Algorithm))
	h.int(r.CreatedAt)
}

func (s *State) createMigration(root *rootKey, c *CreateMigration) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	if s.migrations[migrationRef{root.workspace.id, c.ID}] != nil {
		return refuse(MigrationExists)
	}
	s.addMigration(&migration{id: c.ID, workspace: root.workspace, algorithm: c.Algorithm, createdAt: s.clock})
	return done
}

func (s *State) addMigration(m *migration) {
	s.migrations[migrationRef{m.workspace.id, m.id}] = m
	s.added(m)
}

func (s *State) loadMigration(r *MigrationRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.migrations[migrationRef{w.id, r.ID}] != nil || r.Algorithm < SHA256 || r.Algorithm > PrefixedAPIKey {
		return false
	}
	s.addMigration(&migration{id: r.ID, workspace: w, algorithm: r.Algorithm, createdAt: r.CreatedAt})
	return true
}

// plannedKey is what becomes of one key of a migration; a nil key is left out.
type plannedKey struct {
	key     *key
	credits NewCredits
	owner   identityLink
}

// migrateKeys adds the keys that can be added and says which. See contract 2.3.
func (s *State) migrateKeys(root *rootKey, c *MigrateKeys) Result {
	if !root.may(createKeyPermission, c.APIID) {
		return createKeyPermission.missing(c.APIID)
	}
	a := s.findAPI(root, c.APIID)
	if a == nil {
		return refuse(APINotFound)
	}
	m := s.migrations[migrationRef{root.workspace.id, c.MigrationID}]
	if m == nil {
		return refuse(MigrationNotFound)
	}
	planned, made, refusal := s.planMigration(root, a, m, c.Keys)
	if refusal != nil {
		return refusal
	}
	for _, p := range made.createSlugs {
		s.addSlug(p)
	}
	for _, r := range made.createRoles {
		s.addRole(r)
	}
	answer := &Migrated{IDs: make([]string, len(planned))}
	for n, p := range planned {
		if p.key == nil {
			continue
		}
		p.key.identity = p.owner.existing
		if i := p.owner.create; i != nil {
			if s.identities[i.id] == nil { // else an earlier key of the command made it
				s.addIdentity(i)
			}
			p.key.identity = i
		}
		s.addKey(p.key)
		if p.credits.Limited {
			s.limit(p.key.ownCredit(), p.credits.Remaining, p.credits.Refill)
		}
		answer.IDs[n] = p.key.id
	}
	return answer
}

// planMigration checks everything and changes nothing.
func (s *State) planMigration(root *rootKey, a *api, m *migration, keys []MigratedKey) ([]plannedKey, *accessPlan, *Refusal) {
	planned := make([]plannedKey, len(keys))
	ratelimits := make([][]Ratelimit, len(keys))
	for n := range keys {
		var refusal *Refusal
		if planned[n].credits, refusal = keys[n].Credits.check(); refusal != nil {
			return nil, nil, refusal
		}
		if ratelimits[n], refusal = checkRatelimits(keys[n].Ratelimits, nil); refusal != nil {
			return nil, nil, refusal
		}
	}
	access := newAccessPlan(root.workspace, s.clock)
	ids, identityIDs, hashes := map[string]bool{}, map[string]bool{}, map[Hash]bool{}
	owners := map[string]identityLink{}
	for n := range keys {
		c := &keys[n]
		if c.Form != m.algorithm || hashes[c.Hash] || s.hashTaken(c.Hash) {
			continue
		}
		owner, known := owners[c.ExternalID]
		if !known {
			var refusal *Refusal
			if owner, refusal = s.planLink(root, c.ExternalID, c.IdentityID); refusal != nil {
				return nil, nil, refusal
			}
			if owner.create != nil && identityIDs[c.IdentityID] {
				return nil, nil, refuse(IDTaken)
			}
			owners[c.ExternalID] = owner
			if owner.create != nil {
				identityIDs[c.IdentityID] = true
			}
		}
		if ids[c.ID] || s.keys[c.ID] != nil {
			return nil, nil, refuse(IDTaken)
		}
		slugs, roles, refusal := access.resolve(s, &c.MigratedAccess)
		if refusal != nil {
			return nil, nil, refusal
		}
		ids[c.ID], hashes[c.Hash] = true, true
		k := &key{id: c.ID, hash: c.Hash, api: a, createdAt: s.clock, expires: c.Expires, enabled: c.Enabled}
		k.describe(c.Name, c.Meta, ratelimits[n])
		k.give(slugs, roles)
		planned[n].key, planned[n].owner = k, owner
	}
	return planned, access, nil
}

// accessPlan is what the permissions and roles of many keys stand for: what exists, and what is to be made, once for all of them.
type accessPlan struct {
	workspace   *workspace
	now         int64
	createSlugs []*slug
	createRoles []*role
	slugs       map[foldedName]*slug // found or planned
	roles       map[foldedName]*role
	slugIDs     map[string]bool // planned
	roleIDs     map[string]bool
}

func newAccessPlan(w *workspace, now int64) *accessPlan {
	return &accessPlan{
		workspace: w, now: now, slugs: map[foldedName]*slug{}, roles: map[foldedName]*role{},
		slugIDs: map[string]bool{}, roleIDs: map[string]bool{},
	}
}

// resolve returns the lists of one key as they are kept. It changes only the plan.
func (p *accessPlan) resolve(s *State, a *MigratedAccess) (slugs []*slug, roles []*role, refusal *Refusal) {
	for _, ref := range a.Permissions {
		name := foldedName{p.workspace.id, fold(ref.Slug)}
		known := p.slugs[name]
		if known == nil {
			known = s.slugNames[name]
		}
		if known == nil {
			if p.slugIDs[ref.ID] || s.slugs[ref.ID] != nil {
				return nil, nil, refuse(IDTaken)
			}
			known = &slug{id: ref.ID, name: ref.Slug, text: ref.Slug, workspace: p.workspace, createdAt: p.now}
			p.createSlugs, p.slugIDs[ref.ID] = append(p.createSlugs, known), true
		}
		p.slugs[name] = known
		slugs = append(slugs, known)
	}
	for _, ref := range a.Roles {
		name := foldedName{p.workspace.id, fold(ref.Name)}
		known := p.roles[name]
		if known == nil {
			known = s.roleNames[name]
		}
		if known == nil {
			if p.roleIDs[ref.ID] || s.roles[ref.ID] != nil {
				return nil, nil, refuse(IDTaken)
			}
			known = &role{id: ref.ID, name: ref.Name, workspace: p.workspace, createdAt: p.now}
			p.createRoles, p.roleIDs[ref.ID] = append(p.createRoles, known), true
		}
		p.roles[name] = known
		roles = append(roles, known)
	}
	return sortedSlugs(slugs), sortedRoles(roles), nil
}

// migrating finds the key that a verification will take over from its migration, if any, after what is foreseen. It changes nothing.
func (s *State) migrating(root *rootKey, c *VerifyMigrated, before *foresight) *key {
	m := s.migrations[migrationRef{root.workspace.id, c.MigrationID}]
	if m == nil || m.algorithm != PrefixedAPIKey ||
		s.rootByHash[c.Verify.Hash] != nil || s.keyAfter(c.Verify.Hash, before) != nil {
		return nil
	}
	k := visible(root, s.keyAfter(c.Hash, before))
	if k == nil || !root.may(verifyKeyPermission, k.api.id) {
		return nil
	}
	return k
}

// malformed refuses a key that no key of the migration can be, unless it is known as it is. One that the caller may not verify is as
// unknown as one that is not there. It changes nothing.
func (s *State) malformed(root *rootKey, c *VerifyMigrated, before *foresight) *Refusal {
	if c.Hash != (Hash{}) {
		return nil
	}
	m := s.migrations[migrationRef{root.workspace.id, c.MigrationID}]
	if m == nil || m.algorithm != PrefixedAPIKey {
		return nil
	}
	if k := visible(root, s.keyAfter(c.Verify.Hash, before)); k != nil && root.may(verifyKeyPermission, k.api.id) {
		return nil
	}
	if refusal := c.Verify.check(); refusal != nil {
		return refusal
	}
	return refuse(KeyMalformed)
}

// verifyMigrated keeps a key under the hash of its full text from the first verification on, whatever that one's outcome. Only a
// refused one leaves it as it was.
func (s *State) verifyMigrated(root *rootKey, c *VerifyMigrated, before *foresight, v *Verdict) Result {
	d, refusal, k := s.foreseeMigrated(root, c, before)
	if refusal != nil {
		return refusal
	}
	if k != nil {
		s.rehash(k, c.Verify.Hash, c.Start)
	}
	s.carryOutDecision(&d)
	d.show(v, s.clock)
	return v
}

// foreseeMigrated decides about a verification and says which key it takes over, nil for none.
func (s *State) foreseeMigrated(root *rootKey, c *VerifyMigrated, before *foresight) (decision, *Refusal, *key) {
	if refusal := s.malformed(root, c, before); refusal != nil {
		return decision{}, refusal, nil
	}
	k := s.migrating(root, c, before)
	if k == nil {
		d, refusal := s.decide(root, &c.Verify, before)
		return d, refusal, nil
	}
	if refusal := c.Verify.check(); refusal != nil {
		return decision{}, refusal, nil
	}
	d, refusal := s.decideOn(k, &c.Verify, before)
	if refusal != nil {
		return decision{}, refusal, nil
	}
	return d, nil, k
}

func (s *State) rehash(k *key, hash Hash, start string) {
	s.change(k)
	delete(s.keyByHash, k.hash)
	k.hash, k.start = hash, start
	s.keyByHash[k.hash] = k
	s.changed(k)
}
