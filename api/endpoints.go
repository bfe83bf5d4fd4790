package api

// endpoints are the POST endpoints of docs/contract.md. Each has a file of its own.
func endpoints() []*endpoint {
	list := []*endpoint{
		createAPI(),
		getAPI(),
		deleteAPI(),
		listAPIs(),
		listKeys(),

		createKey(),
		getKey(),
		whoAmI(),
		verifyKey(),
		verifyKeys(),
		previewVerification(),
		updateKey(),
		updateKeyCredits(),
		addKeyPermissions(),
		removeKeyPermissions(),
		setKeyPermissions(),
		addKeyRoles(),
		removeKeyRoles(),
		setKeyRoles(),
		deleteKey(),
		rerollKey(),
		migrateKeys(),

		createIdentity(),
		getIdentity(),
		listIdentities(),
		updateIdentity(),
		deleteIdentity(),
		updateIdentityCredits(),

		createPermission(),
		getPermission(),
		listPermissions(),
		deletePermission(),
		createRole(),
		getRole(),
		listRoles(),
		setRolePermissions(),
		deleteRole(),

		ratelimitLimit(),
		ratelimitMultiLimit(),
		setOverride(),
		getOverride(),
		listOverrides(),
		deleteOverride(),

		createRootKey(),
		getRootKey(),
		listRootKeys(),
		revokeRootKey(),
		createWorkspace(),
		listWorkspaces(),
		updateWorkspace(),
		createMigration(),
		importRecords(),
		getImport(),
		finishImport(),
		exportRecords(),

		listAudit(),

		getStatus(),
		saveSnapshot(),
		transferLeadership(),
		removeServer(),
		getGossipKeys(),
		changeGossipKeys(),
	}
	for _, next := range nextEndpoints {
		list = append(list, next())
	}
	return list
}

// nextEndpoints are those of the build for tests of upgrades (tag nextversion); none in a normal build.
var nextEndpoints []func() *endpoint
