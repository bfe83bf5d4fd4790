package fsm

// Query is a question that changes nothing. Queries never travel: a node answers them from its own state once that is known to
// be fresh enough.
type Query interface{ isQuery() }

// Authorize asks whether the caller holds Permission; the answer is Done or a Refusal.
type Authorize struct{ Permission string }

// GetAPI asks for an API by id. See contract 2.2.
type GetAPI struct{ APIID string }

// GetKey asks for a key by id. See contract 2.3.
type GetKey struct {
	KeyID   string
	Decrypt bool
}

// WhoAmI asks for a key by its hash. See contract 2.3.
type WhoAmI struct{ Hash Hash }

// GetIdentity asks for an identity by id or externalId. See contract 2.4.
type GetIdentity struct{ Identity string }

func (*Authorize) isQuery()   {}
func (*GetAPI) isQuery()      {}
func (*GetKey) isQuery()      {}
func (*WhoAmI) isQuery()      {}
func (*GetIdentity) isQuery() {}

func (*ListKeys) isQuery()       {}
func (*ListIdentities) isQuery() {}
func (*ListRootKeys) isQuery()   {}
func (*ListWorkspaces) isQuery() {}
func (*RerollStart) isQuery()    {}

// Answer answers a query at the present log time.
func (s *State) Answer(actor Hash, q Query) Result {
	root, refusal := s.authenticate(actor)
	if refusal != nil {
		return refusal
	}
	switch q := q.(type) {
	case *Authorize:
		if !root.holds(q.Permission) {
			return &Refusal{Code: InsufficientPermissions, Accepted: []string{q.Permission}}
		}
		return done
	case *GetAPI:
		return s.getAPI(root, q)
	case *GetKey:
		return s.getKey(root, q)
	case *WhoAmI:
		return s.whoAmI(root, q)
	case *GetIdentity:
		return s.getIdentity(root, q)

	case *ListKeys:
		return s.listKeys(root, q)
	case *ListIdentities:
		return s.listIdentities(root, q)
	case *ListRootKeys:
		return s.listRootKeys(root, q)
	case *ListWorkspaces:
		return s.listWorkspaces(root, q)
	case *RerollStart:
		return s.rerollStart(root, q)
	default:
		panic("fsm: unknown query")
	}
}
