package fsm

// Page says which part of a list is wanted: up to Limit items (at least 1), beginning with the first one whose id is not below Cursor.
// See contract 1.14.
type Page struct {
	Limit  int
	Cursor string
}

// ListKeys asks for the keys of an API. See contract 2.2.
type ListKeys struct {
	APIID      string
	ExternalID string // of the identity whose keys are wanted; empty: all
	Decrypt    bool
	Page       Page
}

// ListIdentities asks for the identities of the caller's workspace. See contract 2.4.
type ListIdentities struct {
	Search string // part of an id or externalId, letter case aside; blank: all
	Page   Page
}

// ListRootKeys asks for the root keys of all workspaces. See contract 7.2.
type ListRootKeys struct{ Page Page }

// ListWorkspaces asks for all workspaces. See contract 7.2.
type ListWorkspaces struct{ Page Page }

// Keys is a page of keys. Next is where the following page begins; empty: there is none.
type Keys struct {
	List []Key
	Next string
}

// Identities is a page of identities.
type Identities struct {
	List []Identity
	Next string
}

// RootKeys is a page of root keys.
type RootKeys struct {
	List []RootKey
	Next string
}

// RootKey is what rootKeys.listRootKeys shows.
type RootKey struct {
	ID          string
	Name        string
	WorkspaceID string
	Permissions []string // in byte order
	CreatedAt   int64
	Expires     int64 // Unix ms, or Never
	Enabled     bool
}

// Workspaces is a page of workspaces.
type Workspaces struct {
	List []Workspace
	Next string
}

// Workspace is what workspaces.listWorkspaces shows.
type Workspace struct {
	ID        string
	Name      string
	CreatedAt int64
	Enabled   bool
}

func (k *key) listID() string       { return k.id }
func (i *identity) listID() string  { return i.id }
func (p *slug) listID() string      { return p.id }
func (r *role) listID() string      { return r.id }
func (r *rootKey) listID() string   { return r.id }
func (w *workspace) listID() string { return w.id }

func (*key) listPrefix() string       { return "key_" }
func (*identity) listPrefix() string  { return "id_" }
func (*slug) listPrefix() string      { return "perm_" }
func (*role) listPrefix() string      { return "role_" }
func (*rootKey) listPrefix() string   { return "key_" }
func (*workspace) listPrefix() string { return "ws_" }

// apiKeys are an identity's keys in one API, so that listing them is no search among its keys elsewhere. Few identities have
// keys in more than a handful of APIs.
type apiKeys struct {
	api  *api
	keys ordered[*key]
}

func (i *identity) keysIn(a *api) *ordered[*key] {
	for n := range i.keys {
		if i.keys[n].api == a {
			return &i.keys[n].keys
		}
	}
	return nil
}

// list makes a key appear in listings, unless it is deleted; unlist ends that. Both read the key's API and identity.
func (s *State) list(k *key) {
	if k.deleted {
		return
	}
	k.api.keys.insert(k)
	s.listUnder(k)
}

func (s *State) listUnder(k *key) {
	i := k.liveIdentity()
	if i == nil {
		return
	}
	if i.keysIn(k.api) == nil {
		i.keys = append(i.keys, apiKeys{api: k.api})
	}
	i.keysIn(k.api).insert(k)
}

func (s *State) unlist(k *key) {
	k.api.keys.remove(k)
	s.unlistUnder(k)
}

func (s *State) unlistUnder(k *key) {
	if i := k.liveIdentity(); i != nil {
		i.keysIn(k.api).remove(k)
	}
}

// relink gives a live key another identity, or none.
func (s *State) relink(k *key, i *identity) {
	s.unlistUnder(k)
	k.identity = i
	s.listUnder(k)
}

// page shows the part of a list that q wants, and says where the next one begins.
func page[T listed, R any](o *ordered[T], q Page, show func(T) R) (list []R, next string) {
	o.from(q.Cursor, func(item T) bool {
		if len(list) == q.Limit {
			next = item.listID()
			return false
		}
		list = append(list, show(item))
		return true
	})
	return list, next
}

func (s *State) listKeys(root *rootKey, q *ListKeys) Result {
	a := s.findAPI(root, q.APIID)
	if a == nil || !root.may(readKeyPermission, a.id) || !root.may(readAPIPermission, a.id) {
		return refuse(APINotFound)
	}
	if q.Decrypt {
		if !root.may(decryptKeyPermission, a.id) {
			return decryptKeyPermission.missing(a.id)
		}
		return encryptionOff()
	}
	keys := &a.keys
	if q.ExternalID != "" {
		i := s.external[externalRef{root.workspace.id, q.ExternalID}]
		if i == nil {
			return &Keys{}
		}
		if keys = i.keysIn(a); keys == nil {
			return &Keys{}
		}
	}
	list, next := page(keys, q.Page, func(k *key) Key { return *s.showKey(k) })
	return &Keys{List: list, Next: next}
}

// maxExamined bounds how many items one search looks at, because it holds up the log: a page may end before it is full.
const maxExamined = 10_000

// search shows the part of a list that q wants of the items that match, and says where the next one begins.
func search[T listed, R any](o *ordered[T], q Page, matches func(T) bool, show func(T) R) (list []R, next string) {
	examined := 0
	o.from(q.Cursor, func(item T) bool {
		if examined == maxExamined {
			next = item.listID()
			return false
		}
		examined++
		if !matches(item) {
			return true
		}
		if len(list) == q.Limit {
			next = item.listID()
			return false
		}
		list = append(list, show(item))
		return true
	})
	return list, next
}

// listIdentities needs the permission to read each identity that it shows. See contract 2.4.
func (s *State) listIdentities(root *rootKey, q *ListIdentities) Result {
	wanted := newSought(q.Search)
	var refusal *Refusal
	list, next := search(&root.workspace.identities, q.Page, func(i *identity) bool {
		return wanted.in(i.id, i.externalID)
	}, func(i *identity) Identity {
		if refusal == nil && !root.may(readIdentityPermission, i.id) {
			refusal = readIdentityPermission.missing(i.id)
		}
		return *s.showIdentity(i)
	})
	if refusal != nil {
		return refusal
	}
	return &Identities{List: list, Next: next}
}

func (s *State) listRootKeys(root *rootKey, q *ListRootKeys) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	list, next := page(&s.rootKeyList, q.Page, func(r *rootKey) RootKey {
		return RootKey{
			ID: r.id, Name: r.name, WorkspaceID: r.workspace.id, Permissions: r.sorted(),
			CreatedAt: r.createdAt, Expires: r.expires, Enabled: r.enabled,
		}
	})
	return &RootKeys{List: list, Next: next}
}

func (s *State) listWorkspaces(root *rootKey, q *ListWorkspaces) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	list, next := page(&s.workspaceList, q.Page, func(w *workspace) Workspace {
		return Workspace{ID: w.id, Name: w.name, CreatedAt: w.createdAt, Enabled: w.enabled}
	})
	return &Workspaces{List: list, Next: next}
}
