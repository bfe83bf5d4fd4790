package cluster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// seed makes an API, an identity with credits, and two keys that share them.
func seed(t *testing.T, c *clustertest.Cluster, at int, credits int64) {
	t.Helper()
	require.IsType(t, &fsm.Created{}, c.Do(at, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"}))
	require.IsType(t, &fsm.Created{}, c.Do(at, &fsm.CreateIdentity{
		ID: "id_1", ExternalID: "alice", Credits: fsm.NewCredits{Limited: true, Remaining: credits},
	}))
	for i, id := range []string{"key_a", "key_b"} {
		require.IsType(t, &fsm.Created{}, c.Do(at, &fsm.CreateKey{
			ID: id, Hash: fsm.Hash{byte(i + 1)}, APIID: "api_1", ExternalID: "alice", Enabled: true, Expires: fsm.Never,
		}))
	}
}

// The first guarantee: each credit of an identity is spent at most once, through any key and any node.
func TestCluster_SpendsAnIdentityOnceThroughEveryNode(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 3} {
		c := clustertest.New(t, nodes, nil)
		seed(t, c, 0, 5)
		for i := range 7 {
			v := c.Do(i%nodes, &fsm.VerifyKey{Hash: fsm.Hash{byte(i%2 + 1)}, Cost: 1}).(*fsm.Verdict)
			if i < 5 {
				require.Equal(t, fsm.Valid, v.Code)
				require.Equal(t, int64(4-i), v.Credits)
			} else {
				require.Equal(t, fsm.UsageExceeded, v.Code)
				require.Zero(t, v.Credits)
			}
		}
		for i := range nodes {
			require.Zero(t, c.Ask(i, &fsm.GetIdentity{Identity: "alice"}).(*fsm.Identity).Credits.Remaining)
		}
		c.WaitSameDigest()
	}
}

// A limit of n admits exactly n requests, through any node. Denials have no entry of their own and still see the end of a window,
// because the entry that they wait for moves log time.
func TestCluster_LimitsOnceThroughEveryNode(t *testing.T) {
	t.Parallel()
	clock := clustertest.NewClock()
	c := clustertest.New(t, 3, clock.Set)
	seed(t, c, 0, 100)
	for range 2 {
		for i := range 6 {
			v := c.Do(i%3, &fsm.VerifyKey{Hash: fsm.Hash{byte(i%2 + 1)}, Ratelimits: []fsm.RatelimitCheck{
				{Name: "requests", Cost: 1, AdHoc: true, Limit: 2, Duration: 60_000},
			}}).(*fsm.Verdict)
			if i < 4 { // two of each key
				require.Equal(t, fsm.Valid, v.Code)
			} else {
				require.Equal(t, fsm.RateLimited, v.Code)
			}
		}
		c.WaitSameDigest()
		clock.Advance(2 * time.Minute)
	}
}
