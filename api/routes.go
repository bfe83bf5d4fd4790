package api

// endpoints are the POST endpoints of docs/contract.md. The request type of a handler is the schema of the body. write: the
// endpoint changes or charges something; read: it only asks.
func endpoints() []*endpoint {
	return []*endpoint{
		write("apis.createApi", createAPI),
		read("apis.getApi", getAPI),
		write("apis.deleteApi", deleteAPI),
		read("apis.listKeys", listKeys),

		secret(write("keys.createKey", createKey)),
		read("keys.getKey", getKey),
		read("keys.whoami", whoAmI),
		write("keys.verifyKey", verifyKey),
		write("keys.verifyKeys", verifyKeys),
		write("keys.updateKey", updateKey),
		write("keys.updateCredits", updateKeyCredits),
		write("keys.addPermissions", addKeyPermissions),
		write("keys.removePermissions", removeKeyPermissions),
		write("keys.setPermissions", setKeyPermissions),
		write("keys.addRoles", addKeyRoles),
		write("keys.removeRoles", removeKeyRoles),
		write("keys.setRoles", setKeyRoles),
		write("keys.deleteKey", deleteKey),
		secret(write("keys.rerollKey", rerollKey)),
		write("keys.migrateKeys", migrateKeys),

		write("identities.createIdentity", createIdentity),
		read("identities.getIdentity", getIdentity),
		read("identities.listIdentities", listIdentities),
		write("identities.updateIdentity", updateIdentity),
		bare(write("identities.deleteIdentity", deleteIdentity)),
		write("identities.updateCredits", updateIdentityCredits),

		write("permissions.createPermission", createPermission),
		read("permissions.getPermission", getPermission),
		read("permissions.listPermissions", listPermissions),
		write("permissions.deletePermission", deletePermission),
		write("permissions.createRole", createRole),
		read("permissions.getRole", getRole),
		read("permissions.listRoles", listRoles),
		write("permissions.setRolePermissions", setRolePermissions),
		write("permissions.deleteRole", deleteRole),

		write("ratelimit.limit", limit),
		write("ratelimit.multiLimit", multiLimit),
		write("ratelimit.setOverride", setOverride),
		read("ratelimit.getOverride", getOverride),
		read("ratelimit.listOverrides", listOverrides),
		write("ratelimit.deleteOverride", deleteOverride),

		secret(write("rootKeys.createRootKey", createRootKey)),
		read("rootKeys.listRootKeys", listRootKeys),
		write("rootKeys.revokeRootKey", revokeRootKey),
		write("workspaces.createWorkspace", createWorkspace),
		read("workspaces.listWorkspaces", listWorkspaces),
		write("workspaces.updateWorkspace", updateWorkspace),
		write("migrations.createMigration", createMigration),

		read("audit.listEntries", listAudit),

		read("cluster.getStatus", getStatus),
		outside(write("cluster.transferLeadership", transferLeadership)),
		outside(write("cluster.removeServer", removeServer)),
	}
}
