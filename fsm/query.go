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

// GetPermission asks for a permission by id or slug. See contract 2.5.
type GetPermission struct{ Permission string }

// ListPermissions asks for permissions in the order of their ids. See contract 1.14.
type ListPermissions struct {
	Search string // empty: all
	Cursor string // lower bound of ids
	Limit  int    // at least 1
}

// GetRole asks for a role by id or name. See contract 2.5.
type GetRole struct{ Role string }

// ListRoles asks for roles in the order of their ids. See contract 1.14.
type ListRoles struct {
	Search string // empty: all
	Cursor string // lower bound of ids
	Limit  int    // at least 1
}

func (*Recall) isQuery() {}

func (*GetPermission) isQuery()   {}
func (*ListPermissions) isQuery() {}
func (*GetRole) isQuery()         {}
func (*ListRoles) isQuery()       {}

// Rate limits: namespace.go.

func (*GetOverride) isQuery()   {}
func (*ListOverrides) isQuery() {}

func (*ListAudit) isQuery() {}

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
	case *Recall:
		if r := s.recall(root.workspace, &q.Once); r != nil {
			return r
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

	case *GetPermission:
		return s.getPermission(root, q)
	case *ListPermissions:
		return s.listPermissions(root, q)
	case *GetRole:
		return s.getRole(root, q)
	case *ListRoles:
		return s.listRoles(root, q)

	case *GetOverride:
		return s.getOverride(root, q)
	case *ListOverrides:
		return s.listOverrides(root, q)
	case *ListAudit:
		return s.listAudit(root, q)
	default:
		panic("fsm: unknown query")
	}
}
