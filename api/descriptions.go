package api

import "github.com/creditd/creditd/fsm"

// The ids of the examples. The tests make a ledger in which they exist; docs/api.md puts shell variables in their place.
const (
	exampleAPI        = "api_2cGKbMxRyIzhCxo1"
	exampleKey        = "key_2cGKbMxRyIzhCxo1"
	exampleSecret     = "prod_CtvF5r2kTSWXYb1GdZ8qNh"
	exampleExternalID = "user_123"
	exampleRoleID     = "role_2cGKbMxRyIzhCxo1"
	exampleRole       = "editor"
	exampleSlug       = "documents.read"
	exampleNamespace  = "emails"

	exampleRootKeyID = "key_7dHLcNySzJaiDyp2"
	exampleWorkspace = "ws_2cGKbMxRyIzhCxo1"
	exampleNode      = "node_2cGKbMxRyIzhCxo1"
	exampleMigration = "old_system"
	exampleHash      = "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=" // of "password"
)

// descriptions has a row for every endpoint of routes.go, by its name.
var descriptions = map[string]description{
	"apis.createApi": {
		summary:    "Create an API, the group that keys belong to",
		text:       "Names need not be unique: two calls make two APIs.",
		permission: "`api.*.create_api`",
		example:    `{"name":"payments"}`,
		result:     createAPIData{},
	},
	"apis.getApi": {
		summary:    "Show an API",
		permission: "`api.*.read_api` or `api.<apiId>.read_api`, checked before the lookup",
		example:    `{"apiId":"` + exampleAPI + `"}`,
		result:     apiOut{},
		refuses:    []fsm.Code{fsm.APINotFound},
	},
	"apis.deleteApi": {
		summary:    "Delete an API with all of its keys",
		text:       "They stop existing for every endpoint at once.",
		permission: "`api.*.delete_api` or `api.<apiId>.delete_api`, checked before the lookup",
		example:    `{"apiId":"` + exampleAPI + `"}`,
		refuses:    []fsm.Code{fsm.APINotFound, fsm.APIProtected},
	},
	"apis.listKeys": {
		summary: "List the keys of an API, in the order of their ids",
		text: "`cursor` of an answer asks for the next page. With `externalId` only the keys of that identity. `revalidateKeysCache` is of no " +
			"effect: what is shown is always the present.",
		permission: "`api.*.read_key` or `api.<apiId>.read_key`, and `api.*.read_api` or `api.<apiId>.read_api`; missing, the API is not found",
		example:    `{"apiId":"` + exampleAPI + `","limit":20,"externalId":"` + exampleExternalID + `"}`,
		result:     []keyOut{},
		paged:      true,
		refuses:    []fsm.Code{fsm.APINotFound, fsm.PreconditionFailed},
	},

	"keys.createKey": {
		summary: "Create a key, with a balance if it is to have one",
		text: "The answer is the only place where the full key is ever shown. An `externalId` links the identity, and creates it if the " +
			"workspace has none. Without `credits`, or with `remaining` null, the key is unlimited. Unknown `permissions` are made, unknown " +
			"`roles` are not. All or nothing.",
		permission: "`api.*.create_key` or `api.<apiId>.create_key`; missing, the API is not found",
		example: `{"apiId":"` + exampleAPI + `","prefix":"prod","name":"checkout","externalId":"` + exampleExternalID + `","meta":{"plan":"pro"},` +
			`"credits":{"remaining":1000,"refill":{"interval":"monthly","amount":1000,"refillDay":1}}}`,
		result:  createKeyData{},
		refuses: []fsm.Code{fsm.APINotFound, fsm.RoleNotFound, fsm.PreconditionFailed},
		hides:   true,
	},
	"keys.getKey": {
		summary:    "Show a key, by its id",
		text:       "What has no value is left out; a key without `credits` is unlimited.",
		permission: "`api.*.read_key` or `api.<apiId>.read_key`",
		example:    `{"keyId":"` + exampleKey + `"}`,
		result:     keyOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.PreconditionFailed},
	},
	"keys.whoami": {
		summary:    "Show a key, by the key itself",
		text:       "Charges nothing, and works for disabled and expired keys.",
		permission: "`api.*.read_key` or `api.<apiId>.read_key`; missing, the key is not found",
		example:    `{"key":"` + exampleSecret + `"}`,
		result:     keyOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound},
		hides:      true,
	},
	"keys.verifyKey": {
		summary: "Verify a key and spend its credits, in one step",
		text: "A key that is not valid is an answer, not an error: 200 with `valid` false and the reason in `code`. A denial charges nothing. " +
			"Without `credits` the cost is 1; a cost of 0 only asks. `credits` of the answer is what is left, and is left out when nothing limits the key. `permissions` is a query such as " +
			"`documents.read AND (documents.write OR admin)`. `ratelimits` names rate limits of the key or its identity, or brings its own " +
			"with `limit` and `duration`; those with `autoApply` are always checked. `migrationId` takes over a migrated key that is known " +
			"only by the hash of a part of it; a key without the parts that keys of that migration have is a 400.",
		permission: "`api.*.verify_key` or `api.<apiId>.verify_key`; missing, the code is `NOT_FOUND`",
		example:    `{"key":"` + exampleSecret + `","credits":{"cost":5},"tags":["path=/v1/charge"]}`,
		result:     verdict{},
		// A key that is not there is a code, not a refusal; a rate limit that is named and not there is one.
		refuses: []fsm.Code{fsm.QuerySyntax, fsm.PreconditionFailed, fsm.KeyMalformed},
		hides:   true,
	},
	"keys.verifyKeys": {
		summary: "Verify up to 1000 keys in one step",
		text: "Each item is a body of `keys.verifyKey`, and sees what the items before it did. An item that alone would have been refused has " +
			"`error` in its place, and the others go on. With `atomic` either all of them pass, or nothing is charged or taken: each item " +
			"then shows the code that it would have got, and the balance as it is.",
		permission: "`api.*.verify_key` or `api.<apiId>.verify_key`, for each key; missing, its code is `NOT_FOUND`",
		example:    `{"verifications":[{"key":"` + exampleSecret + `","credits":{"cost":5}},{"key":"` + exampleSecret + `"}],"atomic":true}`,
		result:     verdicts{},
		hides:      true,
	},
	"keys.updateKey": {
		summary: "Change fields of a key",
		text: "A field that is absent stays as it is, `null` clears it. `credits` null makes the key unlimited. `permissions`, `roles` and " +
			"`ratelimits` replace what was there. All or nothing.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`",
		example:    `{"keyId":"` + exampleKey + `","name":"renamed","enabled":true,"expires":null,"credits":{"remaining":500}}`,
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.RoleNotFound},
	},
	"keys.updateCredits": {
		summary: "Set, raise or lower the balance of a key",
		text: "`set` without a value, or with null, makes the key unlimited. A decrement stops at 0. An increment or decrement of an unlimited " +
			"key is a 400.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`",
		example:    `{"keyId":"` + exampleKey + `","operation":"increment","value":100}`,
		result:     creditsOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound},
	},
	"keys.addPermissions": {
		summary: "Give permissions to a key",
		text: "Unknown ones are made, which also needs `rbac.*.create_permission`. The answer is the direct permissions of the key: what it " +
			"has through roles is not in it.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`, and `rbac.*.add_permission_to_key`",
		example:    `{"keyId":"` + exampleKey + `","permissions":["` + exampleSlug + `"]}`,
		result:     []permissionOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound},
	},
	"keys.removePermissions": {
		summary:    "Take permissions from a key",
		text:       "The answer is the direct permissions that are left. With an unknown one nothing is removed.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`, and `rbac.*.remove_permission_from_key`",
		example:    `{"keyId":"` + exampleKey + `","permissions":["` + exampleSlug + `"]}`,
		result:     []permissionOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.PermissionNotFound},
	},
	"keys.setPermissions": {
		summary: "Replace the permissions of a key",
		text:    "Unknown ones are made, as with `keys.addPermissions`. Permissions through roles stay.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`, and both `rbac.*.add_permission_to_key` and " +
			"`rbac.*.remove_permission_from_key`",
		example: `{"keyId":"` + exampleKey + `","permissions":["` + exampleSlug + `","documents.write"]}`,
		result:  []permissionOut{},
		refuses: []fsm.Code{fsm.KeyNotFound},
	},
	"keys.addRoles": {
		summary:    "Give roles to a key",
		text:       "The answer is all roles of the key.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`, and `rbac.*.add_role_to_key`",
		example:    `{"keyId":"` + exampleKey + `","roles":["` + exampleRole + `"]}`,
		result:     []roleOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.RoleNotFound},
	},
	"keys.removeRoles": {
		summary:    "Take roles from a key",
		text:       "The answer is the roles that are left. With an unknown one nothing is removed.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`",
		example:    `{"keyId":"` + exampleKey + `","roles":["` + exampleRole + `"]}`,
		result:     []roleOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.RoleNotFound},
	},
	"keys.setRoles": {
		summary:    "Replace the roles of a key",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`",
		example:    `{"keyId":"` + exampleKey + `","roles":["` + exampleRole + `"]}`,
		result:     []roleOut{},
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.RoleNotFound},
	},
	"keys.deleteKey": {
		summary:    "Delete a key",
		text:       "It stops existing for every endpoint at once. `permanent` also removes its records.",
		permission: "`api.*.delete_key` or `api.<apiId>.delete_key`",
		example:    `{"keyId":"` + exampleKey + `"}`,
		refuses:    []fsm.Code{fsm.KeyNotFound},
	},
	"keys.rerollKey": {
		summary: "Replace the secret of a key",
		text: "Makes another key that is the same but for its secret, with the same balance. The old one ends after `expiration` milliseconds, " +
			"rounded up to a full minute, or at once for 0. The answer is the only place where the new key is ever shown.",
		permission: "`api.*.create_key` or `api.<apiId>.create_key`",
		example:    `{"keyId":"` + exampleKey + `","expiration":3600000}`,
		result:     createKeyData{},
		refuses:    []fsm.Code{fsm.KeyNotFound},
	},
	"keys.migrateKeys": {
		summary: "Take keys of another system over, by their hashes",
		text: "The owners of the keys notice nothing. `sha256`: the standard base64 of the SHA-256 of the key. Hashes that a key has already, or " +
			"of another form, are in `failed`. Unknown identities, `permissions` and `roles` of the others are made.",
		permission: "`api.*.create_key` or `api.<apiId>.create_key`, checked before the lookup",
		example: `{"migrationId":"` + exampleMigration + `","apiId":"` + exampleAPI + `","keys":[{"hash":"` + exampleHash + `","name":"legacy",` +
			`"credits":{"remaining":100}}]}`,
		result:  migrateKeysData{},
		refuses: []fsm.Code{fsm.APINotFound, fsm.MigrationNotFound},
	},

	"identities.createIdentity": {
		summary:    "Create an identity, the owner of keys, with a balance that they share",
		text:       "`creditPolicy` says who pays for a verification: the identity, the key, or both.",
		permission: "`identity.*.create_identity`",
		example:    `{"externalId":"user_456","meta":{"tier":"gold"},"credits":{"remaining":5000,"refill":{"interval":"daily","amount":200}},"creditPolicy":"identity"}`,
		result:     createIdentityData{},
		refuses:    []fsm.Code{fsm.IdentityExists},
	},
	"identities.getIdentity": {
		summary:    "Show an identity, by its id or its externalId",
		permission: "`identity.*.read_identity` or `identity.<id>.read_identity`",
		example:    `{"identity":"` + exampleExternalID + `"}`,
		result:     identityOut{},
		refuses:    []fsm.Code{fsm.IdentityNotFound},
	},
	"identities.listIdentities": {
		summary: "List identities, in the order of their ids",
		text: "`cursor` of an answer asks for the next page. `search` looks into ids and externalIds; a page of a search may be short although " +
			"there are more.",
		permission: "`identity.*.read_identity`, or `identity.<id>.read_identity` of every identity on the page",
		example:    `{"limit":20,"search":"user"}`,
		result:     []identityOut{},
		paged:      true,
	},
	"identities.updateIdentity": {
		summary:    "Change fields of an identity",
		text:       "A field that is absent stays as it is; `meta` and `ratelimits` are replaced as a whole; `credits` null makes the identity unlimited.",
		permission: "`identity.*.update_identity`, checked before the lookup",
		example:    `{"identity":"` + exampleExternalID + `","meta":{"tier":"silver"},"credits":{"remaining":250}}`,
		result:     identityOut{},
		refuses:    []fsm.Code{fsm.IdentityNotFound},
	},
	"identities.deleteIdentity": {
		summary:    "Delete an identity",
		text:       "Its keys stay valid and lose it: their own credits pay, or they are unlimited. The externalId is free at once.",
		permission: "`identity.*.delete_identity`, checked before the lookup",
		example:    `{"identity":"` + exampleExternalID + `"}`,
		refuses:    []fsm.Code{fsm.IdentityNotFound},
	},
	"identities.updateCredits": {
		summary:    "Set, raise or lower the balance that the keys of an identity share",
		text:       "As `keys.updateCredits`. Holds for all keys of the identity at once.",
		permission: "`identity.*.update_identity` or `identity.<id>.update_identity`",
		example:    `{"identity":"` + exampleExternalID + `","operation":"set","value":100}`,
		result:     creditsOut{},
		refuses:    []fsm.Code{fsm.IdentityNotFound},
	},

	"permissions.createPermission": {
		summary:    "Create a permission",
		text:       "The slug is what keys are given and what queries of `keys.verifyKey` name.",
		permission: "`rbac.*.create_permission`",
		example:    `{"name":"Delete documents","slug":"documents.delete","description":"For those who clean up."}`,
		result:     createPermissionData{},
		refuses:    []fsm.Code{fsm.PermissionExists},
	},
	"permissions.getPermission": {
		summary:    "Show a permission, by its id or its slug",
		permission: "`rbac.*.read_permission`, checked before the lookup",
		example:    `{"permission":"` + exampleSlug + `"}`,
		result:     permissionOut{},
		refuses:    []fsm.Code{fsm.PermissionNotFound},
	},
	"permissions.listPermissions": {
		summary:    "List permissions, in the order of their ids",
		text:       "`cursor` of an answer asks for the next page. `search` looks into ids, names, slugs and descriptions.",
		permission: "`rbac.*.read_permission`",
		example:    `{"limit":20,"search":"documents"}`,
		result:     []permissionOut{},
		paged:      true,
	},
	"permissions.deletePermission": {
		summary:    "Delete a permission, by its id or its slug",
		text:       "All keys and roles lose it at once.",
		permission: "`rbac.*.delete_permission`, checked before the lookup",
		example:    `{"permission":"` + exampleSlug + `"}`,
		refuses:    []fsm.Code{fsm.PermissionNotFound},
	},
	"permissions.createRole": {
		summary: "Create a role, a named list of permissions",
		text:    "Unknown permissions are made.",
		permission: "`rbac.*.create_role`; with permissions also `rbac.*.add_permission_to_role`; with unknown ones also " +
			"`rbac.*.create_permission`",
		example: `{"name":"reviewer","permissions":["` + exampleSlug + `","documents.comment"]}`,
		result:  createRoleData{},
		refuses: []fsm.Code{fsm.RoleExists},
	},
	"permissions.getRole": {
		summary:    "Show a role, by its id or its name",
		permission: "`rbac.*.read_role`, checked before the lookup",
		example:    `{"role":"` + exampleRole + `"}`,
		result:     roleOut{},
		refuses:    []fsm.Code{fsm.RoleNotFound},
	},
	"permissions.listRoles": {
		summary:    "List roles, in the order of their ids",
		text:       "`cursor` of an answer asks for the next page. `search` looks into ids, names and descriptions.",
		permission: "`rbac.*.read_role`",
		example:    `{"limit":20}`,
		result:     []roleOut{},
		paged:      true,
	},
	"permissions.setRolePermissions": {
		summary: "Replace the permissions of a role",
		text:    "Unknown ones are made. Holds for all keys that have the role at once.",
		permission: "`rbac.*.add_permission_to_role` and `rbac.*.remove_permission_from_role`; with unknown permissions also " +
			"`rbac.*.create_permission`",
		example: `{"roleId":"` + exampleRoleID + `","permissions":["` + exampleSlug + `"]}`,
		result:  []permissionOut{},
		refuses: []fsm.Code{fsm.RoleNotFound},
	},
	"permissions.deleteRole": {
		summary:    "Delete a role, by its id or its name",
		text:       "All keys lose it at once.",
		permission: "`rbac.*.delete_role`, checked before the lookup",
		example:    `{"role":"` + exampleRole + `"}`,
		refuses:    []fsm.Code{fsm.RoleNotFound},
	},

	"ratelimit.limit": {
		summary: "Take tokens of a rate limit",
		text: "Over the limit is an answer, not an error: 200 with `success` false, and nothing taken. A `cost` of 0 only looks. A namespace " +
			"that does not exist is made, which needs `ratelimit.*.create_namespace`.",
		permission: "`ratelimit.*.limit` or `ratelimit.<namespaceId>.limit`",
		example:    `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `","limit":10,"duration":60000}`,
		result:     limitData{},
		refuses:    []fsm.Code{fsm.RatelimitNamespaceGone},
	},
	"ratelimit.multiLimit": {
		summary: "Take tokens of several rate limits, or none",
		text: "The body is an array of 1 to 100 requests; `limits` of the answer are in their order. Namespaces that do not exist are made, " +
			"as with `ratelimit.limit`.",
		permission: "`ratelimit.*.limit` or `ratelimit.<namespaceId>.limit`, for every namespace",
		example: `[{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `","limit":10,"duration":60000},` +
			`{"namespace":"` + exampleNamespace + `","identifier":"everybody","limit":1000,"duration":60000,"cost":2}]`,
		result:  multiLimitData{},
		refuses: []fsm.Code{fsm.RatelimitNamespaceGone},
	},
	"ratelimit.setOverride": {
		summary:    "Replace the limit and duration of requests for an identifier",
		text:       "Each `*` in the identifier stands for any text. An identifier that has an override keeps its id. A limit of 0 always denies.",
		permission: "`ratelimit.*.set_override` or `ratelimit.<namespaceId>.set_override`",
		example:    `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `","limit":100,"duration":60000}`,
		result:     setOverrideData{},
		refuses:    []fsm.Code{fsm.RatelimitNamespaceNotFound},
	},
	"ratelimit.getOverride": {
		summary:    "Show the override that holds for an identifier",
		text:       "That of exactly the identifier, else the longest pattern that matches.",
		permission: "`ratelimit.*.read_override` or `ratelimit.<namespaceId>.read_override`; missing, the override is not found",
		example:    `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `"}`,
		result:     overrideOut{},
		refuses:    []fsm.Code{fsm.RatelimitNamespaceNotFound, fsm.RatelimitOverrideNotFound},
		hides:      true,
	},
	"ratelimit.listOverrides": {
		summary:    "List the overrides of a namespace, in the order of their ids",
		text:       "`cursor` of an answer asks for the next page.",
		permission: "`ratelimit.*.read_override` or `ratelimit.<namespaceId>.read_override`",
		example:    `{"namespace":"` + exampleNamespace + `","limit":20}`,
		result:     []overrideOut{},
		paged:      true,
		refuses:    []fsm.Code{fsm.RatelimitNamespaceNotFound},
	},
	"ratelimit.deleteOverride": {
		summary:    "Delete an override, by exactly its identifier",
		permission: "`ratelimit.*.delete_override` or `ratelimit.<namespaceId>.delete_override`",
		example:    `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `"}`,
		refuses:    []fsm.Code{fsm.RatelimitNamespaceNotFound, fsm.RatelimitOverrideNotFound},
	},

	"rootKeys.createRootKey": {
		summary:    "Create a root key",
		text:       "The answer is the only place where it is ever shown.",
		permission: "`cluster.*.operate`",
		example:    `{"name":"ci","permissions":["api.*.verify_key","api.*.read_key"]}`,
		result:     createKeyData{},
	},
	"rootKeys.listRootKeys": {
		summary:    "List the root keys of all workspaces, in the order of their ids",
		text:       "`cursor` of an answer asks for the next page. Nothing of the keys themselves is shown.",
		permission: "`cluster.*.operate`",
		example:    `{"limit":20}`,
		result:     []rootKeyOut{},
		paged:      true,
	},
	"rootKeys.revokeRootKey": {
		summary:    "End a root key for good, on all nodes at once",
		text:       "A root key cannot revoke itself.",
		permission: "`cluster.*.operate`",
		example:    `{"keyId":"` + exampleRootKeyID + `"}`,
		refuses:    []fsm.Code{fsm.KeyNotFound, fsm.PreconditionFailed},
	},
	"workspaces.createWorkspace": {
		summary:    "Create a workspace",
		text:       "Nothing of a workspace can be seen or changed with the root keys of another.",
		permission: "`cluster.*.operate`",
		example:    `{"name":"staging"}`,
		result:     createWorkspaceData{},
	},
	"workspaces.listWorkspaces": {
		summary:    "List all workspaces, in the order of their ids",
		text:       "`cursor` of an answer asks for the next page.",
		permission: "`cluster.*.operate`",
		example:    `{"limit":20}`,
		result:     []workspaceOut{},
		paged:      true,
	},
	"workspaces.updateWorkspace": {
		summary:    "Disable a workspace, or enable it again",
		text:       "The root keys of a disabled workspace are refused, verifications included. A workspace cannot disable itself.",
		permission: "`cluster.*.operate`",
		example:    `{"workspaceId":"` + exampleWorkspace + `","enabled":false}`,
		refuses:    []fsm.Code{fsm.PreconditionFailed},
	},
	"migrations.createMigration": {
		summary:    "Allow keys of another system to be migrated to the workspace",
		text:       "`algorithm` says how that system keeps its keys. `keys.migrateKeys` names the migration.",
		permission: "`cluster.*.operate`",
		example:    `{"migrationId":"other_system","algorithm":"sha256"}`,
		refuses:    []fsm.Code{fsm.MigrationExists},
	},

	"audit.listEntries": {
		summary: "List who changed what in the workspace, the newest first",
		text: "Entries are kept for 30 days, 100,000 of a workspace. A page looks at 10,000 of them: with filters it may be short, or empty, " +
			"although there are more. `from` and `to` are Unix milliseconds; `to` is the first one that is too late.",
		permission: "`audit.*.read`",
		example:    `{"limit":20,"resourceId":"` + exampleKey + `"}`,
		result:     []auditEntryOut{},
		paged:      true,
	},

	"cluster.getStatus": {
		summary:    "Show the nodes of the cluster, who leads, and how far each is",
		text:       "Works without a leader.",
		permission: "`cluster.*.read`",
		example:    `{}`,
		result:     Status{},
	},
	"cluster.transferLeadership": {
		summary:    "Hand leadership to another node",
		text:       "Without `nodeId` the leader chooses.",
		permission: "`cluster.*.operate`",
		example:    `{}`,
	},
	"cluster.removeServer": {
		summary: "Take a node out of the cluster for good",
		text: "If it is up, it stops; a leader hands over first. A 400 for a node that is none of the cluster's, for the last voter, and where the " +
			"voters that are up could not go on.",
		permission: "`cluster.*.operate`",
		example:    `{"nodeId":"` + exampleNode + `"}`,
	},
}

// ExampleVariables maps ids of the examples to the names of shell variables that a page may use in their place.
func ExampleVariables() map[string]string {
	return map[string]string{
		exampleAPI: "API_ID", exampleKey: "KEY_ID", exampleSecret: "KEY", exampleRoleID: "ROLE_ID",
		exampleRootKeyID: "ROOT_KEY_ID", exampleWorkspace: "WORKSPACE_ID", exampleNode: "NODE_ID",
	}
}
