package fsm

import (
	"slices"
	"strings"
)

// RootPermission is one action on one kind of resource, as the string that grants it for all resources. A root key may have it for all
// resources or for one: see contract 1.12. Package api documents its endpoints with these constants.
type RootPermission string

// The permissions that commands and queries require.
const (
	CreateAPIPermission RootPermission = "api.*.create_api"
	ReadAPIPermission   RootPermission = "api.*.read_api"
	DeleteAPIPermission RootPermission = "api.*.delete_api"

	CreateKeyPermission RootPermission = "api.*.create_key"
	ReadKeyPermission   RootPermission = "api.*.read_key"
	UpdateKeyPermission RootPermission = "api.*.update_key"
	DeleteKeyPermission RootPermission = "api.*.delete_key"
	VerifyKeyPermission RootPermission = "api.*.verify_key"
	// VerifyKeyHashPermission lets a caller name a key by its hash. It lets nobody verify a key.
	VerifyKeyHashPermission RootPermission = "api.*.verify_key_hash"
	EncryptKeyPermission    RootPermission = "api.*.encrypt_key"
	DecryptKeyPermission    RootPermission = "api.*.decrypt_key"

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

	ImportPermission RootPermission = "import.*.write"
	ExportPermission RootPermission = "export.*.read"
	// BackupPermission lets a caller take a snapshot of the whole cluster, of all workspaces.
	BackupPermission RootPermission = "backup.*.read"
)

// firstRootPermissions are the permissions of the first root key. Two of them exist only in the upstream API: nothing requires them. Bootstrap
// grants them when it is applied, so the list never changes.
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

// laterPermissions came after the first release. The first root key has none of them. It can create root keys that do.
var laterPermissions = [...]RootPermission{VerifyKeyHashPermission, ImportPermission, ExportPermission, BackupPermission}

var everyPermission = slices.Concat(firstRootPermissions[:], laterPermissions[:])

// perResource are the permissions that a root key may also have for one resource.
var perResource = [...]RootPermission{
	ReadAPIPermission, "api.*.update_api", DeleteAPIPermission,
	CreateKeyPermission, ReadKeyPermission, UpdateKeyPermission, DeleteKeyPermission, VerifyKeyPermission,
	EncryptKeyPermission, DecryptKeyPermission,
	ReadIdentityPermission, UpdateIdentityPermission,
	LimitPermission, SetOverridePermission, ReadOverridePermission, DeleteOverridePermission,
}

// AllPermissions returns all permission strings with "*" as the id, in a fixed order.
func AllPermissions() []string { return permissionStrings(everyPermission) }

// KnownPermission reports whether a string of a root key can grant anything.
func KnownPermission(granted string) bool {
	if slices.Contains(everyPermission, RootPermission(granted)) {
		return true
	}
	parts := strings.Split(granted, ".")
	return len(parts) == 3 && parts[1] != "" && slices.Contains(perResource[:], RootPermission(parts[0]+".*."+parts[2]))
}

// rootPreset is a named list of permissions that root keys often need together.
type rootPreset struct {
	name        string
	permissions []RootPermission
}

// rootPresets are in alphabetical order. See contract 1.12.
var rootPresets = [...]rootPreset{
	{"admin", everyPermission},
	{"manage-keys", []RootPermission{
		ReadAPIPermission,
		CreateKeyPermission, ReadKeyPermission, UpdateKeyPermission, DeleteKeyPermission, VerifyKeyPermission,
		CreateIdentityPermission, ReadIdentityPermission, UpdateIdentityPermission, DeleteIdentityPermission,
		ReadPermissionPermission, ReadRolePermission,
		AddPermissionToKeyPermission, RemovePermissionFromKeyPermission, AddRoleToKeyPermission, "rbac.*.remove_role_from_key",
	}},
	{"read-only", []RootPermission{
		ReadAPIPermission, ReadKeyPermission, ReadIdentityPermission, ReadPermissionPermission, ReadRolePermission,
		ReadOverridePermission, ReadClusterPermission, ReadAuditPermission,
	}},
	{"verify", []RootPermission{VerifyKeyPermission}},
}

// PresetNames returns the names of the presets.
func PresetNames() []string {
	names := make([]string, len(rootPresets))
	for i, p := range rootPresets {
		names[i] = p.name
	}
	return names
}

// PresetPermissions returns the permission strings of a preset; none if there is no such preset.
func PresetPermissions(name string) []string {
	for _, p := range rootPresets {
		if p.name == name {
			return permissionStrings(p.permissions)
		}
	}
	return nil
}

func permissionStrings(list []RootPermission) []string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = string(p)
	}
	return texts
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
