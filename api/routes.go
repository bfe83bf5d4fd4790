package api

// endpoints are the POST endpoints of docs/contract.md. The request type of a handler is the schema of the body. write: the
// endpoint changes or charges something; read: it only asks.
func endpoints() []*endpoint {
	return []*endpoint{
		write("apis.createApi", createAPI),
		read("apis.getApi", getAPI),

		write("keys.createKey", createKey),
		read("keys.getKey", getKey),
		read("keys.whoami", whoAmI),
		write("keys.verifyKey", verifyKey),
		write("keys.updateKey", updateKey),
		write("keys.updateCredits", updateKeyCredits),
		write("keys.deleteKey", deleteKey),

		write("identities.createIdentity", createIdentity),
		read("identities.getIdentity", getIdentity),
		write("identities.updateIdentity", updateIdentity),
		bare(write("identities.deleteIdentity", deleteIdentity)),
		write("identities.updateCredits", updateIdentityCredits),

		write("ratelimit.limit", limit),
		write("ratelimit.multiLimit", multiLimit),
		write("ratelimit.setOverride", setOverride),
		read("ratelimit.getOverride", getOverride),
		read("ratelimit.listOverrides", listOverrides),
		write("ratelimit.deleteOverride", deleteOverride),
		write("rootKeys.createRootKey", createRootKey),
		write("workspaces.createWorkspace", createWorkspace),

		read("cluster.getStatus", getStatus),
		write("cluster.transferLeadership", transferLeadership),
	}
}
