package fsm

import (
	"slices"
	"strings"
)

// rootKey is a credential of the management API. It can see and change only its own workspace.
type rootKey struct {
	entityHeader
	id          string
	hash        Hash
	name        string
	workspace   *workspace
	permissions map[string]struct{}
	createdAt   int64
	expires     int64
	enabled     bool
}

func (r *rootKey) key() RecordKey { return RecordKey{RootKeyKind, r.id} }

func (r *rootKey) record() Record {
	return &RootKeyRecord{
		ID: r.id, Hash: r.hash, Name: r.name, WorkspaceID: r.workspace.id, Permissions: r.sorted(),
		CreatedAt: r.createdAt, Expires: r.expires, Enabled: r.enabled,
	}
}

func (r *rootKey) digest() Digest { return digestOf(r.record()) }

func (t *tenancy) loadRootKey(r *RootKeyRecord) bool {
	w := t.workspaces[r.WorkspaceID]
	if w == nil || t.rootKeys[r.ID] != nil || t.rootByHash[r.Hash] != nil {
		return false
	}
	t.addRootKey(&rootKey{
		id: r.ID, hash: r.Hash, name: r.Name, workspace: w, permissions: permissionSet(r.Permissions),
		createdAt: r.CreatedAt, expires: r.Expires, enabled: r.Enabled,
	})
	return true
}

// sorted returns the permission strings in byte order, the order in which they are stored.
func (r *rootKey) sorted() []string {
	if len(r.permissions) == 0 {
		return nil
	}
	list := make([]string, 0, len(r.permissions))
	for p := range r.permissions { // order-free: sorted below
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

func permissionSet(list []string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, p := range list {
		set[p] = struct{}{}
	}
	return set
}

func (t *tenancy) addRootKey(r *rootKey) {
	t.rootKeys[r.id] = r
	t.rootByHash[r.hash] = r
	t.rootKeyList.insert(r)
	t.add(r)
}

// has reports whether the root key has exactly this string: "*" is no wildcard here.
func (r *rootKey) has(s string) bool {
	_, ok := r.permissions[s]
	return ok
}

// may reports whether the root key has p for all resources or for the one with this id. Every verification calls it, so it does not
// allocate.
func (r *rootKey) may(p RootPermission, id string) bool {
	if r.has(string(p)) {
		return true
	}
	if id == "" {
		return false
	}
	var buf [128]byte
	_, ok := r.permissions[string(p.appendFor(buf[:0], id))]
	return ok
}

// mayOnSome reports whether the root key has p for a single resource.
func (r *rootKey) mayOnSome(p RootPermission) bool {
	resource, action, ofResources := strings.Cut(string(p), "*")
	if !ofResources {
		return false
	}
	for s := range r.permissions { // order-free: any of them is enough
		if len(s) > len(resource)+len(action) && strings.HasPrefix(s, resource) && strings.HasSuffix(s, action) {
			return true
		}
	}
	return false
}

// requires checks permissions that are not about a single resource, in this order.
func (r *rootKey) requires(permissions ...RootPermission) *Refusal {
	for _, p := range permissions {
		if !r.may(p, "") {
			return p.missing("")
		}
	}
	return nil
}

// authenticate finds the caller's root key. See contract 1.3 for the order of the checks.
func (t *tenancy) authenticate(actor Hash) (*rootKey, *Refusal) {
	root := t.rootByHash[actor]
	switch {
	case root == nil:
		return nil, refuse(RootKeyNotFound)
	case !root.enabled:
		return nil, refuse(RootKeyDisabled)
	case t.clock > root.expires:
		return nil, refuse(RootKeyExpired)
	case !root.workspace.enabled:
		return nil, refuse(WorkspaceDisabled)
	}
	return root, nil
}

func (r *rootKey) resource() AuditResource { return AuditResource{RootKeyResource, r.id} }

// Operator returns the hash of a root key that may operate the cluster, for a node whose operator has lost all of them. ok is false if none can.
func (t *tenancy) Operator() (hash Hash, ok bool) {
	var chosen *rootKey
	for _, r := range t.rootKeys { // order-free: the least id counts
		if !r.enabled || !r.workspace.enabled || r.expires != Never || !r.may(OperateClusterPermission, "") {
			continue
		}
		if chosen == nil || r.id < chosen.id {
			chosen = r
		}
	}
	if chosen == nil {
		return hash, false
	}
	return chosen.hash, true
}
