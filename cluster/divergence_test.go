package cluster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// watchful compares ledgers often.
func watchful(conf *cluster.Config) {
	conf.CheckpointEntries, conf.CompareInterval = 20, 50*time.Millisecond
}

// corrupt lets one node debit once more than the others.
func corrupt(t *testing.T, c *clustertest.Cluster, at int) {
	t.Helper()
	c.WaitSameDigest()
	r := c.Nodes[at].Corrupt(clustertest.RootKey, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1})
	require.Equal(t, fsm.Valid, r.(*fsm.Verdict).Code)
}

func awaitFailure(t *testing.T, n *cluster.Node) error {
	t.Helper()
	select {
	case err := <-n.Failed():
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the node goes on")
		return nil
	}
}

// requireMarked requires that a node that differed does not take part again after a restart.
func requireMarked(t *testing.T, c *clustertest.Cluster, at int, words ...string) {
	t.Helper()
	c.StopAbruptly(at)
	_, err := store.Open(store.Options{Dir: c.Dir(at), Reads: replica.Reads("test")})
	require.Equal(t, store.KindDiffers, store.KindOf(err), "%v", err)
	for _, w := range words {
		require.ErrorContains(t, err, w)
	}
}

// A node that differs from the majority would give wrong answers forever: it stops, and the others continue.
func TestDivergence_StopsTheMinority(t *testing.T) {
	for _, leads := range []bool{false, true} {
		c := clustertest.New(t, 3, watchful)
		seed(t, c, 0, 1000)
		wrong := c.Follower()
		if leads {
			wrong = c.Leader()
		}
		right := (wrong + 1) % 3
		id := c.Nodes[wrong].ID()
		corrupt(t, c, wrong)
		spendOneByOne(t, c, right, 60)
		err := awaitFailure(t, c.Nodes[wrong].Node)
		require.Equal(t, store.KindDiffers, store.KindOf(err))
		require.ErrorContains(t, err, id+" has ")
		require.ErrorContains(t, err, "(majority)")
		requireMarked(t, c, wrong, "at index ", id, "empty one")

		spendOneByOne(t, c, right, 30)
		require.Equal(t, int64(910), remaining(t, c, right))
		c.Wipe(wrong)
		c.Start(wrong)
		c.WaitReady()
		c.WaitSameDigest()
		require.Equal(t, int64(910), remaining(t, c, wrong))
	}
}

// Without a majority no node knows who is right, so all of them stop.
func TestDivergence_StopsAllWithoutAMajority(t *testing.T) {
	c := clustertest.New(t, 3, watchful)
	seed(t, c, 0, 1000)
	down := c.Follower()
	c.Stop(down)
	leader := c.Leader()
	other := 3 - down - leader
	corrupt(t, c, other)
	var s spending
	stop := make(chan struct{})
	running := s.run([]*cluster.Node{c.Nodes[leader].Node}, 4, 1<<30, stop)
	defer func() { close(stop); running.Wait() }()
	for _, i := range []int{leader, other} {
		require.ErrorContains(t, awaitFailure(t, c.Nodes[i].Node), "no majority")
		requireMarked(t, c, i, "no majority", "delete this file")
	}
}
