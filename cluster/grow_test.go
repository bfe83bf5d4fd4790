package cluster_test

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// load debits at one node until it is stopped. No request may fail.
type load struct {
	stop    context.CancelFunc
	running sync.WaitGroup
	debited atomic.Int64
}

func startLoad(t *testing.T, n *cluster.Node) *load {
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	for i := range 4 {
		l.running.Go(func() {
			for ctx.Err() == nil {
				asking, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				r, _, err := n.Execute(asking, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{byte(i%2 + 1)}, Cost: 1}})
				cancel()
				if v, ok := r.(*fsm.Verdict); err != nil || !ok || v.Code != fsm.Valid {
					t.Errorf("a debit failed: %v %v", r, err)
					return
				}
				l.debited.Add(1)
			}
		})
	}
	return l
}

// end stops the load and returns how often it debited.
func (l *load) end() int64 {
	l.stop()
	l.running.Wait()
	return l.debited.Load()
}

// withVote leaves out the nodes that are listed without a vote.
func withVote(votes map[string]bool) map[string]bool {
	maps.DeleteFunc(votes, func(_ string, vote bool) bool { return !vote })
	return votes
}

// TestCluster_GrowsToFiveAndShrinksToOneUnderLoad: the steps of an operator, without a request that fails or a debit that is lost or made twice.
func TestCluster_GrowsToFiveAndShrinksToOneUnderLoad(t *testing.T) {
	const credits = 1 << 40
	c := clustertest.New(t, 1, nil)
	seed(t, c, 0, credits)
	c.Tune(func(conf *cluster.Config) { conf.BootstrapExpect = 0 })
	at := c.Nodes[0].Node
	l := startLoad(t, at)
	for range 4 {
		id := c.Nodes[c.Add()].ID()
		require.Eventually(t, func() bool { return voters(t, at)[id] }, 30*time.Second, 10*time.Millisecond)
	}
	c.WaitReady()
	require.Len(t, withVote(voters(t, at)), 5)
	for i := 4; i > 0; i-- {
		before := l.debited.Load()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		require.NoError(t, at.RemoveServer(ctx, c.Nodes[i].ID(), "the test"))
		cancel()
		require.Error(t, <-c.Nodes[i].Failed(), "it says that it was removed")
		c.StopAbruptly(i)
		require.Eventually(t, func() bool { return l.debited.Load() > before }, 30*time.Second, time.Millisecond)
	}
	debited := l.end()
	require.Equal(t, map[string]bool{at.ID(): true}, withVote(voters(t, at)))
	require.Equal(t, credits-debited-1, c.Do(0, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
}

// TestCluster_ANonVoterServesAndGetsNoVote: it answers everything. A node that comes later gets its vote, and the non-voter still has none.
func TestCluster_ANonVoterServesAndGetsNoVote(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	nonVoter := true
	c.Tune(func(conf *cluster.Config) {
		conf.BootstrapExpect, conf.NonVoter, conf.Name = 0, nonVoter, "reader"
	})
	i := c.Add()
	c.WaitReady()
	require.Equal(t, int64(99), c.Do(i, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
	_, refused := c.Ask(i, &fsm.GetAPI{APIID: "api_1"}).(*fsm.Refusal)
	require.False(t, refused)

	nonVoter = false
	later := c.Nodes[c.Add()].ID()
	require.Eventually(t, func() bool { return voters(t, c.Nodes[0].Node)[later] }, 30*time.Second, 10*time.Millisecond)
	status, err := c.Nodes[i].Status(t.Context())
	require.NoError(t, err)
	for _, n := range status.Nodes {
		if n.NodeID == c.Nodes[i].ID() {
			require.Equal(t, cluster.NonVoter, n.Membership)
			require.Equal(t, "reader", n.Name)
			require.True(t, n.Answered)
			require.Positive(t, n.FreeBytes)
		}
	}
	c.Stop(i) // a restart changes nothing
	nonVoter = true
	c.Start(i)
	c.WaitReady()
	require.False(t, voters(t, c.Nodes[0].Node)[c.Nodes[i].ID()])
}

// TestCluster_FollowsANodeToAnotherAddress: a node may be started elsewhere with its data. It keeps its id and its vote.
func TestCluster_FollowsANodeToAnotherAddress(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	i := c.Follower()
	id, before := c.Nodes[i].ID(), c.Nodes[i].Peer
	c.Stop(i)
	c.Move(i)
	c.Start(i)
	c.WaitReady()
	require.NotEqual(t, before, c.Nodes[i].Peer)
	require.Eventually(t, func() bool {
		status, err := c.Nodes[c.Leader()].Status(t.Context())
		require.NoError(t, err)
		for _, n := range status.Nodes {
			if n.NodeID == id {
				return n.Voter && n.PeerAddr == c.Nodes[i].Peer && n.Answered
			}
		}
		return false
	}, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, int64(99), c.Do(i, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
}
