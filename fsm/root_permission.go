package fsm

import "strings"

// RootPermission is one action on one kind of resource, as the string that grants it for all resources. A root key may have it for all
// resources or for one: see contract 1.12. Package api documents its endpoints with these constants.
type RootPermission string

// The permissions that commands and queries require.
const (
	CreateAPIPermission RootPermission = "api.*.create_api"
	ReadAPIPermission   RootPermission = "api.*.read_api"
	DeleteAPIPermission RootPermission = "api.*.delete_api"

	CreateKeyPermission  RootPermission = "api.*.create_key"
	ReadKeyPermission    RootPermission = "api.*.read_key"
	UpdateKeyPermission  RootPermission = "api.*.update_key"
	DeleteKeyPermission  RootPermission = "api.*.delete_key"
	VerifyKeyPermission  RootPermission = "api.*.verify_key"
	EncryptKeyPermission RootPermission = "api.*.encrypt_key"
	DecryptKeyPermission RootPermission = "api.*.decrypt_key"

	CreateIdentityPermission RootPermission = "identity.*.create_identity"
	ReadIdentityPermission   RootPermission = "identity.*.read_identity"
	UpdateIdentityPermission RootPermission = "identity.*.update_identity"
	DeleteIdentityPermission RootPermission = "identity.*.delete_identity"

	CreatePermissionPermission         RootPermission = "rbac.*.create_permission"
	ReadPermissionPermission           RootPermission = "rbac.*.read_permission"
	DeletePermissionPermission         RootPermission = "rbac.*.delete_permission"
	CreateRolePermission               RootPermission = "rbac.*.create_role"
	ReadRolePermission                 RootPermission = "rbac.*.read_role"
	DeleteRolePermission               RootPermission = "rbac.*.delete_role"
	AddPermissionToKeyPermission       RootPermission = "rbac.*.add_permission_to_key"
	RemovePermissionFromKeyPermission  RootPermission = "rbac.*.remove_permission_from_key"
	AddRoleToKeyPermission             RootPermission = "rbac.*.add_role_to_key"
	AddPermissionToRolePermission      RootPermission = "rbac.*.add_permission_to_role"
	RemovePermissionFromRolePermission RootPermission = "rbac.*.remove_permission_from_role"

	LimitPermission           RootPermission = "ratelimit.*.limit"
	CreateNamespacePermission RootPermission = "ratelimit.*.create_namespace"
	SetOverridePermission     RootPermission = "ratelimit.*.set_override"
	ReadOverridePermission    RootPermission = "ratelimit.*.read_override"
	DeleteOverridePermission  RootPermission = "ratelimit.*.delete_override"

	OperateClusterPermission RootPermission = "cluster.*.operate"
	ReadClusterPermission    RootPermission = "cluster.*.read"
	ReadAuditPermission      RootPermission = "audit.*.read"
)

// firstRootPermissions are the permissions of the first root key. Two of them exist only in the upstream API: nothing requires them.
var firstRootPermissions = [...]RootPermission{
	CreateAPIPermission, ReadAPIPermission, "api.*.update_api", DeleteAPIPermission,
	CreateKeyPermission, ReadKeyPermission, UpdateKeyPermission, DeleteKeyPermission, VerifyKeyPermission,
	EncryptKeyPermission, DecryptKeyPermission,
	CreateIdentityPermission, ReadIdentityPermission, UpdateIdentityPermission, DeleteIdentityPermission,
	CreatePermissionPermission, ReadPermissionPermission, DeletePermissionPermission,
	CreateRolePermission, ReadRolePermission, DeleteRolePermission,
	AddPermissionToKeyPermission, RemovePermissionFromKeyPermission,
	AddRoleToKeyPermission, "rbac.*.remove_role_from_key",
	AddPermissionToRolePermission, RemovePermissionFromRolePermission,
	LimitPermission, CreateNamespacePermission, SetOverridePermission, ReadOverridePermission, DeleteOverridePermission,
	OperateClusterPermission, ReadClusterPermission, ReadAuditPermission,
}

// AllPermissions returns the permission strings of the first root key, in a fixed order.
func AllPermissions() []string {
	all := make([]string, len(firstRootPermissions))
	for i, p := range firstRootPermissions {
		all[i] = string(p)
	}
	return all
}

// Resource returns the kind of resource, as in "api".
func (p RootPermission) Resource() string {
	resource, _, _ := strings.Cut(string(p), ".")
	return resource
}

// For returns the string that grants p for the resource with this id.
func (p RootPermission) For(id string) string { return string(p.appendFor(nil, id)) }

func (p RootPermission) appendFor(b []byte, id string) []byte {
	resource, action, _ := strings.Cut(string(p), "*")
	b = append(b, resource...)
	b = append(b, id...)
	return append(b, action...)
}

// missing is the refusal of a caller without p on the resource with this id. Without an id, it accepts only the string for all resources.
func (p RootPermission) missing(id string) *Refusal {
	accepted := []string{string(p)}
	if id != "" {
		accepted = append(accepted, p.For(id))
	}
	return &Refusal{Code: InsufficientPermissions, Accepted: accepted}
}
