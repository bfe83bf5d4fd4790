package fsm

import "slices"

// rootKey is a credential of the management API. Everything its holder can see or change is confined to one workspace.
type rootKey struct {
	head
	id          string
	hash        Hash
	name        string
	workspace   *workspace
	permissions map[string]struct{}
	createdAt   int64
	expires     int64
	enabled     bool
}

// permission is one action on one kind of resource; a root key may hold it for all resources or for one. See contract 1.12.
type permission struct{ resource, action string }

var (
	createAPIPermission      = permission{"api", "create_api"}
	readAPIPermission        = permission{"api", "read_api"}
	deleteAPIPermission      = permission{"api", "delete_api"}
	createKeyPermission      = permission{"api", "create_key"}
	readKeyPermission        = permission{"api", "read_key"}
	updateKeyPermission      = permission{"api", "update_key"}
	deleteKeyPermission      = permission{"api", "delete_key"}
	verifyKeyPermission      = permission{"api", "verify_key"}
	encryptKeyPermission     = permission{"api", "encrypt_key"}
	decryptKeyPermission     = permission{"api", "decrypt_key"}
	createIdentityPermission = permission{"identity", "create_identity"}
	readIdentityPermission   = permission{"identity", "read_identity"}
	updateIdentityPermission = permission{"identity", "update_identity"}
	deleteIdentityPermission = permission{"identity", "delete_identity"}
	operateClusterPermission = permission{"cluster", "operate"}
	readClusterPermission    = permission{"cluster", "read"}
	readAuditPermission      = permission{"audit", "read"}
)

// What permissions and roles of keys need.
var (
	createPermissionPermission         = permission{"rbac", "create_permission"}
	readPermissionPermission           = permission{"rbac", "read_permission"}
	deletePermissionPermission         = permission{"rbac", "delete_permission"}
	createRolePermission               = permission{"rbac", "create_role"}
	readRolePermission                 = permission{"rbac", "read_role"}
	deleteRolePermission               = permission{"rbac", "delete_role"}
	addPermissionToKeyPermission       = permission{"rbac", "add_permission_to_key"}
	removePermissionFromKeyPermission  = permission{"rbac", "remove_permission_from_key"}
	addRoleToKeyPermission             = permission{"rbac", "add_role_to_key"}
	addPermissionToRolePermission      = permission{"rbac", "add_permission_to_role"}
	removePermissionFromRolePermission = permission{"rbac", "remove_permission_from_role"}
)

// allPermissions is what the first root key holds.
var allPermissions = [...]permission{
	createAPIPermission, readAPIPermission, {"api", "update_api"}, deleteAPIPermission,
	createKeyPermission, readKeyPermission, updateKeyPermission, deleteKeyPermission, verifyKeyPermission,
	encryptKeyPermission, decryptKeyPermission,
	createIdentityPermission, readIdentityPermission, updateIdentityPermission, deleteIdentityPermission,
	createPermissionPermission, readPermissionPermission, deletePermissionPermission,
	createRolePermission, readRolePermission, deleteRolePermission,
	addPermissionToKeyPermission, removePermissionFromKeyPermission,
	addRoleToKeyPermission, {"rbac", "remove_role_from_key"},
	addPermissionToRolePermission, removePermissionFromRolePermission,
	{"ratelimit", "limit"}, {"ratelimit", "create_namespace"},
	{"ratelimit", "set_override"}, {"ratelimit", "read_override"}, {"ratelimit", "delete_override"},
	operateClusterPermission, readClusterPermission, readAuditPermission,
}

func (p permission) forAll() string { return p.resource + ".*." + p.action }

func (p permission) forOne(id string) string { return p.resource + "." + id + "." + p.action }

// accepted lists the strings that grant p on the resource id; id empty leaves only the form for all.
func (p permission) accepted(id string) []string {
	if id == "" {
		return []string{p.forAll()}
	}
	return []string{p.forAll(), p.forOne(id)}
}

// missing is the refusal of a caller without p on the resource id.
func (p permission) missing(id string) *Refusal {
	return &Refusal{Code: InsufficientPermissions, Accepted: p.accepted(id)}
}

// AllPermissions returns the permission strings of the first root key, in a fixed order.
func AllPermissions() []string {
	all := make([]string, len(allPermissions))
	for i, p := range allPermissions {
		all[i] = p.forAll()
	}
	return all
}

// holds reports whether the root key holds the string literally: "*" is not a wildcard here.
func (r *rootKey) holds(s string) bool {
	_, ok := r.permissions[s]
	return ok
}

// may reports whether the root key holds p for all resources or for the one with this id. It allocates nothing: it stands on
// the path of every verification.
func (r *rootKey) may(p permission, id string) bool {
	var buf [128]byte
	b := append(buf[:0], p.resource...)
	b = append(b, ".*."...)
	b = append(b, p.action...)
	if _, ok := r.permissions[string(b)]; ok {
		return true
	}
	if id == "" {
		return false
	}
	b = append(buf[:0], p.resource...)
	b = append(b, '.')
	b = append(b, id...)
	b = append(b, '.')
	b = append(b, p.action...)
	_, ok := r.permissions[string(b)]
	return ok
}

// authenticate finds the caller's root key. See contract 1.3 for the order and the answers.
func (s *State) authenticate(actor Hash) (*rootKey, *Refusal) {
	root := s.rootByHash[actor]
	switch {
	case root == nil:
		return nil, refuse(RootKeyNotFound)
	case !root.enabled:
		return nil, refuse(RootKeyDisabled)
	case s.clock > root.expires:
		return nil, refuse(RootKeyExpired)
	case !root.workspace.enabled:
		return nil, refuse(WorkspaceDisabled)
	}
	return root, nil
}

func (s *State) createRootKey(root *rootKey, c *CreateRootKey) Result {
	if !root.may(operateClusterPermission, "") {
		return operateClusterPermission.missing("")
	}
	target := root.workspace
	if c.WorkspaceID != "" {
		if target = s.workspaces[c.WorkspaceID]; target == nil {
			return refuse(WorkspaceNotFound)
		}
	}
	if s.rootKeys[c.ID] != nil || s.rootByHash[c.Hash] != nil || s.keyByHash[c.Hash] != nil {
		return refuse(IDTaken)
	}
	s.addRootKey(&rootKey{
		id: c.ID, hash: c.Hash, name: c.Name, workspace: target, permissions: permissionSet(c.Permissions),
		createdAt: s.clock, expires: c.Expires, enabled: true,
	})
	return &Created{ID: c.ID}
}

func (s *State) addRootKey(r *rootKey) {
	s.rootKeys[r.id] = r
	s.rootByHash[r.hash] = r
	s.rootKeyList.insert(r)
	s.added(r)
}

func permissionSet(list []string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, p := range list {
		set[p] = struct{}{}
	}
	return set
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
