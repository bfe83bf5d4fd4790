package api

import "github.com/creditd/creditd/fsm"

// The ids of the examples. The tests make a ledger in which they exist; docs/api.md puts shell variables in their place.
const (
	exampleAPI        = "api_2cGKbMxRyIzhCxo1"
	exampleKey        = "key_2cGKbMxRyIzhCxo1"
	exampleSecret     = "prod_CtvF5r2kTSWXYb1GdZ8qNh"
	exampleExternalID = "user_123"
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

	"keys.createKey": {
		summary: "Create a key, with a balance if it is to have one",
		text: "The answer is the only place where the full key is ever shown. An `externalId` links the identity, and creates it if the " +
			"workspace has none. Without `credits`, or with `remaining` null, the key is unlimited. All or nothing.",
		permission: "`api.*.create_key` or `api.<apiId>.create_key`; missing, the API is not found",
		example: `{"apiId":"` + exampleAPI + `","prefix":"prod","name":"checkout","externalId":"` + exampleExternalID + `","meta":{"plan":"pro"},` +
			`"credits":{"remaining":1000,"refill":{"interval":"monthly","amount":1000,"refillDay":1}}}`,
		result:  createKeyData{},
		refuses: []fsm.Code{fsm.APINotFound, fsm.PreconditionFailed},
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
	},
	"keys.verifyKey": {
		summary: "Verify a key and spend its credits, in one step",
		text: "A key that is not valid is an answer, not an error: 200 with `valid` false and the reason in `code`. A denial charges nothing. " +
			"Without `credits` the cost is 1; a cost of 0 only asks. `credits` of the answer is what is left, and is left out when nothing limits the key.",
		permission: "`api.*.verify_key` or `api.<apiId>.verify_key`; missing, the code is `NOT_FOUND`",
		example:    `{"key":"` + exampleSecret + `","credits":{"cost":5},"tags":["path=/v1/charge"]}`,
		result:     verdict{},
		// A key that is not there is a code, not a refusal.
	},
	"keys.updateKey": {
		summary:    "Change fields of a key",
		text:       "A field that is absent stays as it is, `null` clears it. `credits` null makes the key unlimited. All or nothing.",
		permission: "`api.*.update_key` or `api.<apiId>.update_key`",
		example:    `{"keyId":"` + exampleKey + `","name":"renamed","enabled":true,"expires":null,"credits":{"remaining":500}}`,
		refuses:    []fsm.Code{fsm.KeyNotFound},
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
	"keys.deleteKey": {
		summary:    "Delete a key",
		text:       "It stops existing for every endpoint at once. `permanent` also removes its records.",
		permission: "`api.*.delete_key` or `api.<apiId>.delete_key`",
		example:    `{"keyId":"` + exampleKey + `"}`,
		refuses:    []fsm.Code{fsm.KeyNotFound},
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
	"identities.updateIdentity": {
		summary:    "Change fields of an identity",
		text:       "A field that is absent stays as it is; `meta` is replaced as a whole; `credits` null makes the identity unlimited.",
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

	"rootKeys.createRootKey": {
		summary:    "Create a root key",
		text:       "The answer is the only place where it is ever shown.",
		permission: "`cluster.*.operate`",
		example:    `{"name":"ci","permissions":["api.*.verify_key","api.*.read_key"]}`,
		result:     createKeyData{},
	},
	"workspaces.createWorkspace": {
		summary:    "Create a workspace",
		text:       "Nothing of a workspace can be seen or changed with the root keys of another.",
		permission: "`cluster.*.operate`",
		example:    `{"name":"staging"}`,
		result:     createWorkspaceData{},
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
}

// ExampleVariables maps ids of the examples to the names of shell variables that a page may use in their place.
func ExampleVariables() map[string]string {
	return map[string]string{exampleAPI: "API_ID", exampleKey: "KEY_ID", exampleSecret: "KEY"}
}
