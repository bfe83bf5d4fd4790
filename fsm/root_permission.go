package fsm

import "strings"

// RootPermission is one action on one kind of resource, in the form that grants it for all resources. A root key may have it for all of
// them or for one. See contract 1.12. The strings are written here and nowhere else: package api documents its endpoints with them.
type RootPermission string

// The permissions that commands and queries ask for.
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

// firstRootPermissions is what the first root key has. Nothing asks for two of them, which the upstream API knows.
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

// For returns the string that grants p for the one resource with this id.
func (p RootPermission) For(id string) string { return string(p.appendFor(nil, id)) }

func (p RootPermission) appendFor(b []byte, id string) []byte {
	resource, action, _ := strings.Cut(string(p), "*")
	b = append(b, resource...)
	b = append(b, id...)
	return append(b, action...)
}

// missing is the refusal of a caller without p on the resource with this id; id empty leaves only the form for all.
func (p RootPermission) missing(id string) *Refusal {
	accepted := []string{string(p)}
	if id != "" {
		accepted = append(accepted, p.For(id))
	}
	return &Refusal{Code: InsufficientPermissions, Accepted: accepted}
}
