package cluster_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
)

// A voter whose gossip alone fails still holds what was committed, so it stays. Once it is dead, it goes.
func TestCluster_RemovesAVoterThatIsDeadAndNoOther(t *testing.T) {
	t.Parallel()
	said := &record{}
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	removing := func(conf *cluster.Config) {
		conf.GossipKey, conf.RemoveDeadVoters, conf.Logger = key, 100*time.Millisecond, slog.New(slog.NewTextHandler(said, nil))
	}
	c := clustertest.New(t, 3, removing)
	c.Tune(func(conf *cluster.Config) {
		removing(conf)
		conf.BootstrapExpect = 0
	})
	last := c.Add()
	id, at := c.Nodes[last].ID(), c.Nodes[0].Node
	require.Eventually(t, func() bool { return voters(t, at)[id] }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, c.Nodes[last].SetGossipKeys([][]byte{other}))
	require.Eventually(t, func() bool {
		return len(said.with("answers at its peer address")) > 0 || !voters(t, at)[id]
	}, 30*time.Second, 10*time.Millisecond)
	require.True(t, voters(t, at)[id], "raft reaches it")
	c.StopAbruptly(last)
	require.Eventually(t, func() bool { return !voters(t, at)[id] }, 30*time.Second, 10*time.Millisecond)
	require.Len(t, withVote(voters(t, at)), 3)
}
