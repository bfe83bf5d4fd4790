package api

import "github.com/creditd/creditd/fsm"

type createMigrationRequest struct {
	MigrationID string `json:"migrationId" schema:"required,minLength=3,maxLength=255"`
	Algorithm   string `json:"algorithm" schema:"required,enum=sha256|github.com/seamapi/prefixed-api-key"`
}

// algorithms are the names of the ways in which other systems keep keys.
var algorithms = map[string]fsm.Algorithm{"sha256": fsm.SHA256, "github.com/seamapi/prefixed-api-key": fsm.PrefixedAPIKey}

// createMigration is migrations.createMigration, docs/contract.md 7.2.
func createMigration() *endpoint {
	return write("migrations.createMigration", about{
		summary: "Allow the migration of keys from another system to the workspace",
		text:    "`algorithm` says how that system stores its keys. `keys.migrateKeys` names the migration.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"migrationId":"other_system","algorithm":"sha256"}`,
		refuses: []fsm.RefusalCode{fsm.MigrationExists},
	}, func(c *call, req createMigrationRequest) (none, error) {
		return change(c, &fsm.CreateMigration{ID: req.MigrationID, Algorithm: algorithms[req.Algorithm]}, done)
	})
}
