package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// A read may wait for what the cluster has written, and not for what it may write some day: a connection that waits serves nobody else. A
// stranger hears that nobody knows it. Contract 7.1.
func TestStaleRead_WaitsForNothingThatIsNotThere(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, written, err := c.Nodes[0].Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.CreateAPI{ID: "api_stale", KeyspaceID: "ks_stale", Name: "stale"}})
	require.NoError(t, err)
	for _, node := range c.Nodes {
		r, index, err := node.AnswerStale(ctx, clustertest.RootKey, &fsm.GetAPI{APIID: "api_stale"}, written)
		require.NoError(t, err)
		require.IsType(t, &fsm.API{}, r)
		require.GreaterOrEqual(t, index, written)

		_, _, err = node.AnswerStale(ctx, clustertest.RootKey, &fsm.GetAPI{APIID: "api_stale"}, 1<<62)
		require.Equal(t, fault.TimedOut, fault.KindOf(err))
		require.ErrorContains(t, err, "has not reached the index")
		r, _, err = node.AnswerStale(ctx, fsm.Hash{'x'}, &fsm.GetAPI{APIID: "api_stale"}, 1<<62)
		require.NoError(t, err)
		require.Equal(t, fsm.RootKeyNotFound, r.(*fsm.Refusal).Code)
	}
	require.NoError(t, ctx.Err(), "nobody waited for the deadline")
}
