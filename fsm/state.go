package fsm

// State is the ledger. It combines its parts. The zero value is not usable; see New and Loader.
type State struct {
	*core
	clusterID string

	tenancy
	accounts
	access
	identityStore
	keyring
	rateLimits
	sessionStore
	idempotencyStore
	auditStore
	graveyard
	sweeper
	importStore
	verifier
	//lint:ignore U1000 it has fields in the build with one more ledger version
	nextState

	expiries []expirer // the parts that expire things
}

// expirer is a part of the ledger that expires things.
type expirer interface {
	expire(n int) // expires up to n things of each kind
}

// New returns an empty ledger at log time zero.
func New() *State {
	c := &core{version: OldestLedgerVersion, tracker: tracker{gen: clean + 1}}
	s := &State{
		core: c,
		tenancy: tenancy{
			core: c, workspaces: make(map[string]*workspace), rootKeys: make(map[string]*rootKey), rootByHash: make(map[Hash]*rootKey),
		},
		accounts: accounts{core: c},
	}
	t := &s.tenancy
	s.access = access{
		core: c, tenants: t, graves: &s.graveyard, sweeps: &s.sweeper, permissions: make(map[string]*permission), permissionSlugs: make(map[foldedName]*permission),
		roles: make(map[string]*role), roleNames: make(map[foldedName]*role),
	}
	s.identityStore = identityStore{
		core: c, tenants: t, accounts: &s.accounts, graves: &s.graveyard,
		identities: newLookup(wordOf, func(i *identity) string { return i.id }), external: newLookup(externalRef.word, (*identity).ref),
	}
	s.keyring = keyring{
		core: c, tenants: t, access: &s.access, owners: &s.identityStore, accounts: &s.accounts, limits: &s.rateLimits,
		graves: &s.graveyard,
		apis:   make(map[string]*api), migrations: make(map[migrationRef]*migration),
		keys: newLookup(wordOf, func(k *key) string { return k.id }), keyByHash: newLookup(Hash.word, func(k *key) Hash { return k.hash }),
		former: newLookup(formerRef.word, (*key).formerRef),
	}
	s.rateLimits = rateLimits{
		core: c, tenants: t, namespaces: make(map[string]*namespace), namespaceByName: make(map[namespaceRef]*namespace),
		overrides: make(map[string]*override), windows: newLookup(windowName.word, (*window).called),
	}
	s.sessionStore = sessionStore{core: c, sessions: make(map[uint64]*session)}
	s.idempotencyStore = idempotencyStore{core: c, tenants: t, byKey: newLookup(idempotencyRef.word, (*idempotencyRecord).ref)}
	s.auditStore = auditStore{core: c, tenants: t}
	s.graveyard = graveyard{core: c, ring: &s.keyring, access: &s.access, owners: &s.identityStore}
	s.sweeper = sweeper{core: c, ring: &s.keyring, access: &s.access}
	s.importStore = importStore{core: c, tenants: t}
	s.accounts.refills = &s.importStore
	s.verifier = verifier{c, t, &s.keyring, &s.accounts, &s.rateLimits, &s.idempotencyStore}
	s.expiries = []expirer{&s.rateLimits, &s.auditStore, &s.idempotencyStore, &s.sessionStore, &s.graveyard, &s.sweeper}
	return s
}

// Clock returns the log time in Unix milliseconds.
func (s *State) Clock() int64 { return s.clock }

// ClusterID returns the id that Bootstrap gave, or "" before it.
func (s *State) ClusterID() string { return s.clusterID }

// ContinueAs gives the ledger another id. No command does this: it is for a ledger on a stopped node that goes on as a cluster of its own.
func (s *State) ContinueAs(clusterID string) { s.clusterID = clusterID }

// LedgerVersion returns the ledger version. Commands that need a newer one are refused.
func (s *State) LedgerVersion() uint64 { return s.version }

// RaisedBy returns the build that raised the ledger version last; empty: none.
func (s *State) RaisedBy() string { return s.raisedBy }

// Stats are sizes for metrics.
type Stats struct {
	Workspaces, RootKeys, APIs, Identities, Keys int
	CreditRecords                                int
	Namespaces, Overrides, RatelimitWindows      int
	AuditEntries                                 int
	DirtyRecords                                 int // changed since the last freeze
	Totals                                       Totals
	Sessions, SessionResults                     int // sessions of nodes; unacknowledged results
	IdempotencyKeys                              int // weight of the idempotency store: a large answer weighs more than 1
}

// Stats returns the present sizes.
func (s *State) Stats() Stats {
	results := 0
	for _, n := range s.sessions { // order-free: a sum
		results += n.stored
	}
	return Stats{
		Sessions: len(s.sessions), SessionResults: results, IdempotencyKeys: int(s.idempotencyStore.weight),
		Workspaces: len(s.workspaces), RootKeys: len(s.rootKeys), APIs: len(s.apis),
		Identities: s.identities.len(), Keys: s.keys.len(),
		AuditEntries: len(s.auditStore.expiries), CreditRecords: s.creditRecords, Namespaces: len(s.namespaces), Overrides: len(s.overrides), RatelimitWindows: len(s.rateLimits.expiries), DirtyRecords: len(s.dirty), Totals: s.totals,
	}
}

// Digest returns the digest of the present state.
func (s *State) Digest() Digest {
	return s.sum.Plus(digestOf(s.meta()))
}
