package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// The end of tracking leaves an audit entry from ledger version 5 on, if it ended something. Below, all nodes of a cluster write none.
func TestAudit_TellsOfTheEndOfAnImport(t *testing.T) {
	for version, want := range map[uint64]int{4: 0, 5: 1} {
		s := newImportLedgerOf(t, version)
		importBy(t, s, &fsm.ImportRecords{Track: true, Items: trackedImport()})
		origin := &fsm.Origin{RequestID: "req_1"}
		for range 2 { // the second ends nothing
			s.Apply(fsm.Batch{Stamp: s.Clock(), Index: 9, Calls: []fsm.Call{{Actor: importRoot, Origin: origin, Command: &fsm.FinishImport{Most: 500}}}})
		}
		var found []fsm.AuditEntry
		for _, e := range entries(t, restored(t, s), root) {
			if e.Event == fsm.ImportEnded {
				found = append(found, e)
			}
		}
		require.Len(t, found, want, "ledger version %d", version)
		for _, e := range found {
			require.Equal(t, []string{"workspace ws_1"}, resourceIDs(e))
			require.Equal(t, origin, e.Origin)
			require.Empty(t, e.Balances)
		}
	}
}
