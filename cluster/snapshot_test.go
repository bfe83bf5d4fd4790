package cluster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// eager takes snapshots often and keeps only a short log behind them.
func eager(conf *cluster.Config) {
	conf.SnapshotThreshold, conf.TrailingLogs, conf.SnapshotInterval = 20, 40, 10*time.Millisecond
	watchful(conf) // what is restored and copied must not differ
}

func spendOneByOne(t *testing.T, c *clustertest.Cluster, at, times int) {
	t.Helper()
	for i := range times {
		v := c.Do(at, &fsm.VerifyKey{Hash: fsm.Hash{byte(i%2 + 1)}, Cost: 1}).(*fsm.Verdict)
		require.Equal(t, fsm.Valid, v.Code)
	}
}

// A restart from a snapshot plus the log behind it gives the same ledger.
func TestSnapshot_RestartGivesTheSameLedger(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 1, eager)
	seed(t, c, 0, 1000)
	for round := range 3 {
		snapshots := c.Snapshots(0)
		spendOneByOne(t, c, 0, 60)
		require.Eventually(t, func() bool { return c.Snapshots(0) > snapshots }, 20*time.Second, time.Millisecond)
		spendOneByOne(t, c, 0, 7)
		_, before := c.Nodes[0].Digest()
		c.StopAbruptly(0)
		c.Start(0)
		c.WaitReady()
		_, after := c.Nodes[0].Digest()
		require.Equal(t, before, after)
		require.Equal(t, int64(1000-67*(round+1)), remaining(t, c, 0))
	}
}

// A follower that lacks entries which the leader has dropped installs the leader's snapshot.
func TestSnapshot_AFollowerThatWasAwayTooLongGetsACopy(t *testing.T) {
	c := clustertest.New(t, 3, eager)
	seed(t, c, 0, 10_000)
	i := c.Follower()
	c.StopAbruptly(i)
	leader := c.Leader()
	snapshots := c.Snapshots(leader)
	spendOneByOne(t, c, leader, 200)
	require.Eventually(t, func() bool { return c.Snapshots(leader) > snapshots }, 20*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return c.FirstLogIndex(leader) > 100 }, 20*time.Second, time.Millisecond)
	c.Start(i)
	c.WaitReady()
	c.WaitSameDigest()
	require.Equal(t, int64(9800), remaining(t, c, i))
	// From there it follows the log.
	spendOneByOne(t, c, i, 50)
	c.WaitSameDigest()
	_, before := c.Nodes[i].Digest()
	c.StopAbruptly(i)
	c.Start(i)
	c.WaitReady()
	c.WaitSameDigest()
	_, after := c.Nodes[i].Digest()
	require.Equal(t, before, after)
}
