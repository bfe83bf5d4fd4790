package fsm

// State is the ledger. The zero value is not usable; see New and Restore.
type State struct {
	clock     int64  // log time, Unix ms: the largest stamp applied so far
	version   uint64 // ledger version
	raisedBy  string // the build that raised it last
	index     uint64 // of the log entry that is being applied
	clusterID string
	books     Books

	workspaces map[string]*workspace
	apis       map[string]*api
	rootKeys   map[string]*rootKey
	rootByHash map[Hash]*rootKey
	identities map[string]*identity
	external   map[externalRef]*identity // live identities only
	keys       map[string]*key
	keyByHash  map[Hash]*key
	sessions   map[uint64]*session
	opened     uint64 // sessions ever opened: the id of the last one

	migrations map[migrationRef]*migration

	rootKeyList   ordered[*rootKey]
	workspaceList ordered[*workspace]

	limited int // credit records that exist

	namespaces      map[string]*namespace
	namespaceByName map[namespaceRef]*namespace
	overrides       map[string]*override

	windows  map[windowName]*window // present ones, and dropped ones that a snapshot has not told the disk about
	expiries expiryHeap             // the present ones
	dropped  []*window              // the others, by when they were dropped

	auditLogs    auditHeap
	auditEntries int
	outcomes     outcomes // of calls with idempotency keys

	access

	tracker
}

// externalRef is the name under which a workspace's owner knows an identity.
type externalRef struct{ workspaceID, externalID string }

// New returns an empty ledger at log time zero.
func New() *State {
	return &State{
		version:    OldestLedgerVersion,
		workspaces: make(map[string]*workspace),
		apis:       make(map[string]*api),
		rootKeys:   make(map[string]*rootKey),
		rootByHash: make(map[Hash]*rootKey),
		identities: make(map[string]*identity),
		external:   make(map[externalRef]*identity),
		keys:       make(map[string]*key),
		keyByHash:  make(map[Hash]*key),
		migrations: make(map[migrationRef]*migration),
		sessions:   make(map[uint64]*session),
		access:     newAccess(),
		windows:    make(map[windowName]*window),
		namespaces: make(map[string]*namespace), namespaceByName: make(map[namespaceRef]*namespace),
		overrides: make(map[string]*override),
		outcomes:  outcomes{byName: make(map[outcomeName]*outcome)},
		tracker:   tracker{gen: clean + 1},
	}
}

// Clock returns the log time in Unix milliseconds.
func (s *State) Clock() int64 { return s.clock }

// ClusterID returns the id that Bootstrap gave, or "" before it.
func (s *State) ClusterID() string { return s.clusterID }

// LedgerVersion returns the version of the ledger: what needs a newer one is refused.
func (s *State) LedgerVersion() uint64 { return s.version }

// Stats are sizes for metrics.
type Stats struct {
	Workspaces, RootKeys, APIs, Identities, Keys int
	CreditRecords                                int
	Namespaces, Overrides, RatelimitWindows      int
	AuditEntries                                 int
	DirtyRecords                                 int // changed since the last snapshot was frozen
	Books                                        Books
	Sessions, SessionResults                     int // of nodes; results not acknowledged
	Outcomes                                     int // of calls with idempotency keys, as the limit counts them: large ones more than once
}

// Stats returns the present sizes.
func (s *State) Stats() Stats {
	results := 0
	for _, n := range s.sessions { // order-free: a sum
		results += n.stored
	}
	return Stats{
		Sessions: len(s.sessions), SessionResults: results, Outcomes: int(s.outcomes.weight),
		Workspaces: len(s.workspaces), RootKeys: len(s.rootKeys), APIs: len(s.apis),
		Identities: len(s.identities), Keys: len(s.keys),
		AuditEntries: s.auditEntries, CreditRecords: s.limited, Namespaces: len(s.namespaces), Overrides: len(s.overrides), RatelimitWindows: len(s.expiries), DirtyRecords: len(s.dirty), Books: s.books,
	}
}
