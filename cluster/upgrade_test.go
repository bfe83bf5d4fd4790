package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/upgrade"
	"github.com/creditd/creditd/fsm"
)

// The version rises once the last node reads it, whichever node leads, and no earlier: a node that cannot read an entry would stop.
func TestUpgrade_WaitsForTheLastNode(t *testing.T) {
	t.Parallel()
	var started atomic.Int32
	var allNew atomic.Bool
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		conf.Version = "v2"
		if started.Add(1) == 2 && !allNew.Load() { // the node in place 1
			conf.Version, conf.LedgerVersions = "v1", upgrade.Range{Min: 1, Max: 1}
		}
	})
	leads := func() *clustertest.Node { return c.Nodes[c.Leader()] }

	waiting := func() bool {
		status, err := leads().Status(context.Background())
		require.NoError(t, err)
		known := 0
		for _, n := range status.Nodes {
			if n.Reads.Max > 0 {
				known++
			}
		}
		return known == 3
	}
	require.Eventually(t, waiting, 10*time.Second, 20*time.Millisecond)
	require.Contains(t, leads().Behind(fsm.NewestLedgerVersion), "creditd v1, which reads ledger versions 1 to 1")
	c.WaitSameDigest()
	require.EqualValues(t, 1, ledgerVersion(t, leads()))

	allNew.Store(true)
	c.Stop(1)
	c.Start(1)
	for i := range c.Nodes {
		require.Eventually(t, func() bool { return ledgerVersion(t, c.Nodes[i]) == fsm.NewestLedgerVersion }, 20*time.Second, 20*time.Millisecond)
	}
	c.WaitSameDigest()

	// The version is part of the ledger: a restart, from a snapshot or from the log, has it.
	c.Stop(0)
	c.Start(0)
	c.WaitReady()
	require.Equal(t, fsm.NewestLedgerVersion, ledgerVersion(t, c.Nodes[0]))
}

// A build that does not read the ledger version says so when it is to join, and the cluster does not add it.
func TestUpgrade_RefusesANewNodeWithAnOlderBuild(t *testing.T) {
	t.Parallel()
	var old, held atomic.Bool
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		conf.Version = "v2"
		if old.Load() {
			conf.Version, conf.LedgerVersions = "v1", upgrade.Range{Min: 1, Max: 1}
		}
		if held.Load() {
			conf.HoldLedgerVersion = 1
		}
	})
	for i := range c.Nodes {
		require.Eventually(t, func() bool { return ledgerVersion(t, c.Nodes[i]) == fsm.NewestLedgerVersion }, 20*time.Second, 20*time.Millisecond)
	}
	old.Store(true)
	refused := c.Nodes[c.Add()]
	select {
	case err := <-refused.Failed():
		require.ErrorContains(t, err, "runs creditd v2); this build (v1) reads ledger versions 1 to 1")
	case <-time.After(20 * time.Second):
		require.Fail(t, "it joins, or waits without a word")
	}
	require.Nil(t, c.Nodes[c.Leader()].Server(refused.ID()))

	// A hold that came too late keeps nobody out.
	old.Store(false)
	held.Store(true)
	joined := c.Nodes[c.Add()]
	require.Eventually(t, func() bool { return voters(t, c.Nodes[c.Leader()].Node)[joined.ID()] }, 20*time.Second, 20*time.Millisecond)
}

func ledgerVersion(t *testing.T, n *clustertest.Node) uint64 {
	t.Helper()
	status, err := n.Status(context.Background())
	require.NoError(t, err)
	return status.LedgerVersion
}
