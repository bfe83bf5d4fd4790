package fsm

import "fmt"

// Loader rebuilds a State from the records of a snapshot. Nothing of it is visible before Finish has checked it as a whole.
type Loader struct {
	state *State
	meta  bool
	last  Kind
}

// NewLoader starts with an empty state.
func NewLoader() *Loader { return &Loader{state: New()} }

// Add takes one record. Records must come in the order of their kinds, so that what they refer to is there, and audit entries in that
// of their names; anything else, and a record that breaks a rule of the ledger, is an error.
func (l *Loader) Add(r Record) error {
	name := r.Key()
	if name.Kind < l.last {
		return fmt.Errorf("record %v after one of kind %d", name, l.last)
	}
	l.last = name.Kind
	if !l.state.load(r, &l.meta) {
		return fmt.Errorf("record %v is repeated, refers to a record that is missing, or breaks a rule of the ledger", name)
	}
	return nil
}

// Finish checks the digest and the books and returns the state. The loader must not be used afterwards.
func (l *Loader) Finish(want Digest) (*State, error) {
	s := l.state
	if !l.meta {
		return nil, fmt.Errorf("the ledger's own record is missing")
	}
	if got := s.Digest(); got != want {
		return nil, fmt.Errorf("digest is %v, want %v", got, want)
	}
	if err := s.Audit(); err != nil {
		return nil, err
	}
	// What was loaded is on disk already.
	for _, n := range s.dirty {
		n.header().gen = clean
	}
	s.dirty = nil
	s.outcomes.added = 0
	return s, nil
}

// Audit adds up every balance and compares the sum with the books.
func (s *State) Audit() error {
	var sum uint64
	for _, k := range s.keys { // order-free: a sum
		if k.credit.limited() {
			sum += uint64(k.credit.remaining)
		}
	}
	for _, i := range s.identities { // order-free: a sum
		if i.credit.limited() {
			sum += uint64(i.credit.remaining)
		}
	}
	if want := s.books.Outstanding(); sum != want {
		return fmt.Errorf("balances add up to %d, the books say %d", sum, want)
	}
	return nil
}

// load reports false where the record cannot stand.
func (s *State) load(r Record, meta *bool) bool {
	switch r := r.(type) {
	case *MetaRecord:
		ok := !*meta && r.Clock >= 0
		s.clusterID, s.clock, s.books, s.opened, *meta = r.ClusterID, r.Clock, r.Books, r.Sessions, true
		return ok
	case *WorkspaceRecord:
		return s.loadWorkspace(r)
	case *RootKeyRecord:
		return s.loadRootKey(r)
	case *APIRecord:
		return s.loadAPI(r)
	case *IdentityRecord:
		return s.loadIdentity(r)
	case *KeyRecord:
		return s.loadKey(r)
	case *CreditRecord:
		return s.loadCredit(r)

	case *MigrationRecord:
		return s.loadMigration(r)

	case *SessionRecord:
		return s.loadSession(r)
	case *OutcomeRecord:
		return s.loadOutcome(r)
	case *PermissionRecord:
		return s.loadPermission(r)
	case *RoleRecord:
		return s.loadRole(r)
	case *NamespaceRecord:
		return s.loadNamespace(r)
	case *OverrideRecord:
		return s.loadOverride(r)
	case *WindowRecord:
		return s.loadWindow(r)
	case *AuditRecord:
		return s.loadAudit(r)
	default:
		return false
	}
}

func (s *State) loadPermission(r *PermissionRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.slugs[r.ID] != nil {
		return false
	}
	p := &slug{
		id: r.ID, name: r.Name, text: r.Slug, description: r.Description, workspace: w, createdAt: r.CreatedAt, deleted: r.Deleted,
	}
	if p.deleted {
		s.slugs[p.id] = p
		s.added(p)
		return true
	}
	if s.slugNames[p.ref()] != nil {
		return false
	}
	s.addSlug(p)
	return true
}

func (s *State) loadRole(r *RoleRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	list, ok := resolve(s.slugs, r.Permissions, func(p *slug) bool { return p.workspace == w })
	if w == nil || !ok || s.roles[r.ID] != nil {
		return false
	}
	loaded := &role{
		id: r.ID, name: r.Name, description: r.Description, slugs: list, workspace: w, createdAt: r.CreatedAt, deleted: r.Deleted,
	}
	if loaded.deleted {
		s.roles[loaded.id] = loaded
		s.added(loaded)
		return len(list) == 0
	}
	if s.roleNames[loaded.ref()] != nil {
		return false
	}
	s.addRole(loaded)
	return true
}

// resolve finds the records of a list of ids, which must be in byte order and different, and of the same workspace.
func resolve[T any](records map[string]*T, ids []string, belongs func(*T) bool) (list []*T, ok bool) {
	for i, id := range ids {
		r := records[id]
		if r == nil || !belongs(r) || i > 0 && id <= ids[i-1] {
			return nil, false
		}
		list = append(list, r)
	}
	return list, true
}

func (s *State) loadWorkspace(r *WorkspaceRecord) bool {
	if s.workspaces[r.ID] != nil {
		return false
	}
	s.addWorkspace(&workspace{id: r.ID, name: r.Name, createdAt: r.CreatedAt, enabled: r.Enabled})
	return true
}

func (s *State) loadRootKey(r *RootKeyRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.rootKeys[r.ID] != nil || s.rootByHash[r.Hash] != nil {
		return false
	}
	s.addRootKey(&rootKey{
		id: r.ID, hash: r.Hash, name: r.Name, workspace: w, permissions: permissionSet(r.Permissions),
		createdAt: r.CreatedAt, expires: r.Expires, enabled: r.Enabled,
	})
	return true
}

func (s *State) loadAPI(r *APIRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || s.apis[r.ID] != nil {
		return false
	}
	s.addAPI(&api{
		id: r.ID, keyspaceID: r.KeyspaceID, name: r.Name, workspace: w, createdAt: r.CreatedAt,
		protected: r.Protected, deleted: r.Deleted,
	})
	return true
}

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

func (s *State) loadKey(r *KeyRecord) bool {
	a := s.apis[r.APIID]
	if a == nil || s.keys[r.ID] != nil || s.keyByHash[r.Hash] != nil || !keptRatelimits(r.Ratelimits) {
		return false
	}
	k := &key{
		id: r.ID, hash: r.Hash, start: r.Start, api: a, createdAt: r.CreatedAt, updatedAt: r.UpdatedAt,
		lastUsedAt: r.LastUsedAt, expires: r.Expires, enabled: r.Enabled, deleted: r.Deleted,
	}
	if r.IdentityID != "" {
		if k.identity = s.identities[r.IdentityID]; k.identity == nil {
			return false
		}
	}
	slugs, ok := resolve(s.slugs, r.Permissions, func(p *slug) bool { return p.workspace == a.workspace })
	roles, known := resolve(s.roles, r.Roles, func(r *role) bool { return r.workspace == a.workspace })
	if !ok || !known {
		return false
	}
	k.describe(r.Name, r.Meta, r.Ratelimits)
	k.give(slugs, roles)
	s.addKey(k)
	return true
}

func (s *State) loadCredit(r *CreditRecord) bool {
	var c *credit
	if r.Identity {
		i := s.identities[r.Owner]
		if i == nil {
			return false
		}
		c = i.ownCredit()
	} else {
		k := s.keys[r.Owner]
		if k == nil {
			return false
		}
		c = k.ownCredit()
	}
	if c.present || r.Remaining < 0 || !r.Refill.kept() {
		return false
	}
	c.present, c.remaining, c.refill = true, r.Remaining, r.Refill
	c.refilledAt, c.considered = r.RefilledAt, r.Considered
	s.limited++
	s.added(c)
	return true
}

// kept reports whether a refill is one that the rules let in.
func (r Refill) kept() bool {
	switch r.Interval {
	case NoRefill:
		return r.Amount == 0 && r.Day == 0
	case Daily:
		return r.Amount >= 1 && r.Day == 0
	case Monthly:
		return r.Amount >= 1 && r.Day >= 1 && r.Day <= 31
	default:
		return false
	}
}
