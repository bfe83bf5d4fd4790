package api

// The ids of the examples. The tests create a ledger with them; docs/api.md puts shell variables in their place.
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

// ExampleVariables maps ids of the examples to the names of shell variables that a page may use in their place.
func ExampleVariables() map[string]string {
	return map[string]string{
		exampleAPI: "API_ID", exampleKey: "KEY_ID", exampleSecret: "KEY", exampleRoleID: "ROLE_ID",
		exampleRootKeyID: "ROOT_KEY_ID", exampleWorkspace: "WORKSPACE_ID", exampleNode: "NODE_ID",
	}
}
