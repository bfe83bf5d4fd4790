package api

import "github.com/creditd/creditd/fsm"

type createMigrationRequest struct {
	MigrationID string `json:"migrationId" schema:"required,minLength=3,maxLength=255"`
	Algorithm   string `json:"algorithm" schema:"required,enum=sha256|github.com/seamapi/prefixed-api-key"`
}

// algorithms are the names of the ways in which other systems keep keys.
var algorithms = map[string]fsm.Algorithm{"sha256": fsm.SHA256, "github.com/seamapi/prefixed-api-key": fsm.PrefixedAPIKey}

// createMigration serves migrations.createMigration, docs/contract.md 7.2.
func createMigration(c *call, req createMigrationRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.CreateMigration{ID: req.MigrationID, Algorithm: algorithms[req.Algorithm]})
	return none{}, err
}
