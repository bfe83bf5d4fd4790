package cluster_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
)

// A lone node has an address in raft's configuration at which nobody reaches it. Once it opens its port elsewhere, it notes where it is, so
// that a newcomer can have the old address. Nobody else could note it for the leader.
func TestCluster_ALoneNodeThatMovedMakesRoomForANewcomer(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 1, nil)
	seed(t, c, 0, 5)
	old := c.Nodes[0].Peer
	c.Stop(0)
	c.Move(0)
	c.Start(0)
	c.WaitReady()
	c.Tune(func(conf *cluster.Config) { conf.BootstrapExpect = 0 })
	i := c.AddAt(old)
	c.WaitReady()
	status, err := c.Nodes[i].Status(t.Context())
	require.NoError(t, err)
	for _, n := range status.Nodes {
		require.Equal(t, cluster.Voter, n.Membership, n.NodeID)
	}
	require.Len(t, status.Nodes, 2)
	c.WaitSameDigest()
}
