package upgrade

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJoining_RefusesALedgerThatTheBuildDoesNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		version uint64
		refused bool
	}{
		"older than its oldest": {1, true}, "its oldest": {2, false}, "its newest": {3, false}, "newer": {4, true},
		"of a build that announces none": {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var failed error
			var met uint64
			j := &Joining{
				Self: Node{Build: "v1.1.0", Reads: Range{2, 3}}, Joined: func() bool { return true },
				Ask:  func(context.Context) map[string]Ledger { return map[string]Ledger{"node_a": {test.version, "v9.9.9"}} },
				Met:  func(version uint64) { met = version },
				Fail: func(err error) { failed = err },
			}
			j.Run(t.Context())
			if !test.refused {
				require.NoError(t, failed)
				require.Equal(t, test.version, met)
				return
			}
			require.ErrorContains(t, failed, "node node_a runs creditd v9.9.9")
			require.ErrorContains(t, failed, "this build (v1.1.0) reads ledger versions 2 to 3")
		})
	}
}

// A node that meets the others late finds out late, but it does.
func TestJoining_LooksUntilTheNodeHasJoined(t *testing.T) {
	asked := 0
	failed := make(chan error, 1)
	j := &Joining{
		Self: Node{Build: "v1", Reads: Range{1, 1}}, Interval: time.Millisecond, Joined: func() bool { return false },
		Ask: func(context.Context) map[string]Ledger {
			if asked++; asked < 3 {
				return nil
			}
			return map[string]Ledger{"node_a": {2, "v2"}}
		},
		Met: func(uint64) {}, Fail: func(err error) { failed <- err },
	}
	j.Run(t.Context())
	require.ErrorContains(t, <-failed, "the cluster has ledger version 2")

	joined := 0
	j.Joined = func() bool { joined++; return joined == 3 }
	j.Ask = func(context.Context) map[string]Ledger { return nil }
	j.Run(t.Context())
	require.Equal(t, 3, joined)
}
