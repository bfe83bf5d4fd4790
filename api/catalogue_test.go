package api

import (
	"encoding/json"
	"testing"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// TestCatalogue_IsComplete: an answer of the ledger that has no row would reach clients as an empty error. Codes and verdictCodes have
// gaps.
func TestCatalogue_IsComplete(t *testing.T) {
	require.Len(t, faults, int(fault.Unsupported)+1)
	require.Len(t, creditPolicies, int(fsm.BothPay)+1)
	for n := range 256 {
		if fsm.RefusalCode(n) == fsm.SessionExpired {
			continue // between nodes only
		}
		require.Equal(t, fsm.RefusalCode(n).Known(), n < len(refusals) && refusals[n] != errorType{}, "code %d", n)
		require.Equal(t, fsm.VerdictCode(n).Known(), n < len(verdictCodes) && verdictCodes[n] != "", "outcome %d", n)
	}
	for number, e := range faults {
		require.NotZero(t, e, "fault %d", number)
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
