package api

import (
	"encoding/json"
	"testing"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fault"
	"github.com/stretchr/testify/require"
)

// codes are all codes of refusals. Their numbers have gaps.
var codes = []fsm.Code{
	fsm.RootKeyNotFound, fsm.RootKeyDisabled, fsm.RootKeyExpired, fsm.WorkspaceDisabled, fsm.WorkspaceNotFound,
	fsm.InsufficientPermissions, fsm.KeyNotFound, fsm.APINotFound, fsm.IdentityNotFound, fsm.IdentityExists, fsm.InvalidInput,
	fsm.PreconditionFailed, fsm.IDTaken,

	fsm.APIProtected, fsm.MigrationNotFound, fsm.MigrationExists,
}

// TestCatalogue_IsComplete: an answer of the ledger that has no row would reach clients as an empty error. A new code, fault or outcome
// is appended behind the last one named here.
func TestCatalogue_IsComplete(t *testing.T) {
	for _, code := range codes {
		require.Less(t, int(code), len(refusals), "code %d", code)
		require.NotZero(t, refusals[code], "code %d", code)
	}
	require.Len(t, faults, int(fault.Invalid)+1)
	require.Len(t, outcomes, int(fsm.UsageExceeded)+1)
	require.Len(t, creditPolicies, int(fsm.BothPay)+1)
	for kind, k := range faults {
		require.NotZero(t, k, "fault %d", kind)
	}
	for outcome, code := range outcomes[1:] {
		require.NotEmpty(t, code, "outcome %d", outcome+1)
	}
}

// TestAppendString_IsJSON compares with the encoding that clients certainly read.
func TestAppendString_IsJSON(t *testing.T) {
	for _, s := range []string{"", "plain", `"\`, "a\nb\tc\rd\x00\x1f\x7f", "grüße, 世界 🎉", "half \xff\xc3", "\u2028<&>"} {
		var back string
		require.NoError(t, json.Unmarshal(appendString(nil, s), &back))
		require.Equal(t, []rune(s), []rune(back))
	}
}
