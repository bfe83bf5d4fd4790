package fsm

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
