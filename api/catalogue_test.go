package api

import (
	"encoding/json"
	"testing"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fault"
	"github.com/stretchr/testify/require"
)

// TestCatalogue_IsComplete: an answer of the ledger that has no row would reach clients as an empty error. A new code, fault or outcome
// is appended behind the last one named here.
func TestCatalogue_IsComplete(t *testing.T) {
	require.Len(t, refusals, int(fsm.RatelimitOverrideNotFound)+1)
	require.Len(t, faults, int(fault.Invalid)+1)
	require.Len(t, outcomes, int(fsm.RateLimited)+1)
	require.Len(t, creditPolicies, int(fsm.BothPay)+1)
	codes := []fsm.Code{fsm.RatelimitNamespaceNotFound, fsm.RatelimitNamespaceGone, fsm.RatelimitOverrideNotFound}
	for code := fsm.RootKeyNotFound; code <= fsm.IDTaken; code++ {
		codes = append(codes, code)
	}
	for _, code := range codes {
		require.NotZero(t, refusals[code], "code %d", code)
	}
	for kind, k := range faults {
		require.NotZero(t, k, "fault %d", kind)
	}
	for _, outcome := range []fsm.Outcome{
		fsm.Valid, fsm.NotFound, fsm.Disabled, fsm.Expired, fsm.Forbidden, fsm.UsageExceeded,
		fsm.RateLimited,
	} {
		require.NotEmpty(t, outcomes[outcome], "outcome %d", outcome)
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
