package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store/failpoint"
)

func TestStages_ReachEveryFailpoint(t *testing.T) {
	for _, name := range failpoint.All() {
		require.NotNil(t, stages[name], name)
	}
	require.Len(t, stages, len(failpoint.All()))
}

// TestRun_KillsAndChecksTheBalances is one kill at the failpoints that are reached quickly, of each part; `make crash` is the whole.
func TestRun_KillsAndChecksTheBalances(t *testing.T) {
	if testing.Short() {
		t.Skip("runs real processes for half a minute")
	}
	for store, points := range map[string][]failpoint.Name{
		"wal": {
			failpoint.LogAfterStore, failpoint.VoteBeforeWrite, failpoint.FileAfterRename, failpoint.SnapshotBeforeCommit,
			failpoint.RestoreBeforeSwap, failpoint.EntryAfterApply, failpoint.ReplyBeforeForwarded, failpoint.TermServing,
		},
		"boltdb": {
			failpoint.LogBeforeStore, failpoint.VoteAfterWrite, failpoint.SnapshotAfterCommit, failpoint.EntryAfterPropose,
			failpoint.ReplyBeforeLocal, failpoint.SessionAfterOpen, failpoint.CallIDBeforeSettle, failpoint.LedgerFounded,
		},
	} {
		var names []string
		for _, p := range points {
			names = append(names, string(p))
		}
		var out strings.Builder
		code := run(t.Context(), []string{"-kills", "1", "-log-store", store, "-points", strings.Join(names, ",")}, &out, &out)
		t.Log(out.String())
		require.Zero(t, code)
		require.Contains(t, out.String(), "8 kills at 8 failpoints")
	}
}

// The check must not accept any balance.
func TestDebitClient_ToleratesOnlyWhatIsUnknown(t *testing.T) {
	for _, test := range []struct {
		last, loose, shown int64
		ok                 bool
	}{
		{100, 0, 100, true}, {100, 0, 99, false}, {100, 0, 101, false},
		{100, 2, 100, true}, {100, 2, 98, true}, {100, 2, 97, false},
	} {
		d := &debitClient{last: test.last, loose: test.loose}
		require.Equal(t, test.ok, d.agrees(test.shown), "%+v", test)
	}
}
