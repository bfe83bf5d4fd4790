package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/fsm"
)

// asksAs asks the leader for a read index over a connection that announces a node id, as a node that serves callers does.
func asksAs(t *testing.T, c *clustertest.Cluster, nodeID string) error {
	t.Helper()
	pool := peer.NewPool(peer.ClientConfig{Dialer: peer.Dialer{NodeID: nodeID}})
	defer func() { require.NoError(t, pool.Close()) }()
	leader := c.Nodes[c.Leader()]
	status, err := leader.Status(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = propose.ReadIndex.Call(ctx, rpc.NewClient(pool, func() string { return status.ClusterID }), leader.Peer, rpc.Nothing{})
	return err
}

func awaitLedgerVersion(t *testing.T, c *clustertest.Cluster, version uint64) {
	t.Helper()
	for _, n := range c.Nodes {
		require.Eventually(t, func() bool { return ledgerVersion(t, n) == version }, 20*time.Second, 20*time.Millisecond)
	}
}

// Whoever acts for callers must be a member: a command names a root key by its hash, and that is no secret to a node that was one.
func TestAdmit_OnlyMembersActForCallers(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	c.WaitReady()
	awaitLedgerVersion(t, c, fsm.NewestLedgerVersion)
	leader := c.Leader()
	follower := (leader + 1) % 3
	id := c.Nodes[follower].ID()
	require.NoError(t, asksAs(t, c, id))
	for name, says := range map[string]string{"": "does not say which node it is", "node_invented": "not a member", id + "x": "not a member"} {
		err := asksAs(t, c, name)
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
		require.ErrorContains(t, err, says)
	}
	require.NoError(t, c.Nodes[leader].RemoveServer(t.Context(), id, "a test"))
	require.Eventually(t, func() bool { return asksAs(t, c, id) != nil }, 10*time.Second, 20*time.Millisecond)
	require.ErrorContains(t, asksAs(t, c, id), "not a member")
}

// While a build that does not announce itself may be a member, one that does not is taken for it.
func TestAdmit_TakesEarlierBuildsWhileTheyMayBeThere(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 1, func(conf *cluster.Config) { conf.HoldLedgerVersion = 2 })
	c.WaitReady()
	awaitLedgerVersion(t, c, 2)
	require.NoError(t, asksAs(t, c, ""))
	require.ErrorContains(t, asksAs(t, c, "node_invented"), "not a member")
}
