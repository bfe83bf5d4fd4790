package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// A node sees a neighbour in what it is asked and, wherever that was asked, in what it applies.
func TestCostly_NodesSeeNeighbours(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	other := fsm.Hash{9, 9}
	c.Do(0, &fsm.CreateWorkspace{ID: "ws_2", Name: "neighbour"})
	c.Do(0, &fsm.CreateRootKey{ID: "key_9", Hash: other, WorkspaceID: "ws_2", Permissions: []string{"api.*.create_api", "api.*.read_api"}, Expires: fsm.Never})
	c.WaitSameDigest()
	shared := func(i int) bool { return scrape(t, c.Nodes[i].Node)["creditd_costly_neighbours"] == 1 }
	for i := range c.Nodes {
		require.False(t, shared(i), "one workspace is alone")
	}
	asked := func(i int) {
		_, _, err := c.Nodes[i].AnswerStale(t.Context(), other, &fsm.ListAPIs{Page: fsm.Page{Limit: 1}}, 0)
		require.NoError(t, err)
		c.Ask(i, &fsm.ListAPIs{Page: fsm.Page{Limit: 1}})
	}
	require.Eventually(t, func() bool { asked(1); return shared(1) }, 10*time.Second, time.Millisecond)
	require.False(t, shared(2), "it was not asked, and nothing was applied")
	n := 0
	require.Eventually(t, func() bool {
		n++
		_, _, err := c.Nodes[0].Execute(t.Context(), fsm.Call{Actor: other, Command: &fsm.CreateAPI{ID: fmt.Sprint("api_", n), KeyspaceID: fmt.Sprint("ks_", n), Name: "n"}})
		require.NoError(t, err)
		c.Do(0, &fsm.CreateAPI{ID: fmt.Sprint("api_r", n), KeyspaceID: fmt.Sprint("ks_r", n), Name: "r"})
		return shared(2)
	}, 10*time.Second, time.Millisecond)
}

// What costs much to apply takes a turn on the leader, however small it is and through whichever node it comes. What changes nothing is looked
// at with a second turn, once the node is fresh enough. What is cheap takes none.
func TestCostly_CommandsTakeTurnsByTheirWork(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	leader, follower := c.Leader(), c.Follower()
	turns := func() float64 { return scrape(t, c.Nodes[leader].Node)["creditd_costly_turns_total"] }
	limits := &fsm.ConsumeRatelimits{}
	for i := range 100 {
		limits.Requests = append(limits.Requests, fsm.RatelimitRequest{Namespace: "n", NamespaceID: "rlns_1", Identifier: fmt.Sprint("i", i), Limit: 10, Duration: 60_000, Cost: 1})
	}
	charges, denials := &fsm.VerifyKeys{}, &fsm.VerifyKeys{}
	query := strings.Repeat("a or ", 199) + "b"
	for range 60 {
		charges.Items = append(charges.Items, fsm.Verification{Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}})
		denials.Items = append(denials.Items, fsm.Verification{Command: &fsm.VerifyKey{Hash: fsm.Hash{77}, Cost: 1, Query: query}})
	}
	require.Greater(t, len(query)*len(denials.Items), 8<<10)
	for name, test := range map[string]struct {
		command fsm.Command
		turns   float64
	}{
		"a charge":                  {&fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}, 0},
		"a denial":                  {&fsm.VerifyKey{Hash: fsm.Hash{77}, Cost: 1}, 0},
		"a hundred rate limits":     {limits, 1},
		"charges together":          {charges, 1},
		"denials with long queries": {denials, 2},
	} {
		for _, at := range []int{leader, follower} {
			before := turns()
			result := c.Do(at, test.command)
			require.IsNotType(t, &fsm.Refusal{}, result, name)
			require.Equal(t, test.turns, turns()-before, "%s at node %d, leader %d", name, at, leader)
		}
	}
	result := c.Do(follower, denials).(*fsm.Verdicts)
	require.Len(t, result.Results, len(denials.Items))
	require.Equal(t, fsm.NotFound, result.Results[49].(*fsm.Verdict).Code)
}
