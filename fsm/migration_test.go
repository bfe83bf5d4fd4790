package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Of two new identities with one id the second would be unknown to the ledger. One that exists, with that id beside it, must not hide
// that the id is taken.
func TestMigrateKeys_RefusesAnIdentityIDTwice(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256})
	newIdentity(t, s, "old", fsm.NewCredits{}, fsm.IdentityPays)
	c := &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1"}
	for i, externalID := range []string{"new", "old", "other"} {
		c.Keys = append(c.Keys, fsm.MigratedKey{
			ID: "key_" + externalID, Hash: fsm.Hash{byte(i), 1}, Form: fsm.SHA256, ExternalID: externalID, IdentityID: "id_1", Enabled: true,
		})
	}
	before := s.Digest()
	require.Equal(t, &fsm.Refusal{Code: fsm.IDTaken}, apply(t, s, c))
	require.Equal(t, before, s.Digest())
}
