package cluster_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// replacement is a cluster in which nodes lose their data, while somebody charges.
type replacement struct {
	*clustertest.Cluster
	t      *testing.T
	quorum int
}

func newReplacement(t *testing.T, nodes int) *replacement {
	t.Helper()
	c := clustertest.New(t, 3, nil)
	for len(c.Nodes) < nodes {
		c.Add()
		c.WaitReady()
	}
	seed(t, c, 0, replacementCredits)
	return &replacement{Cluster: c, t: t, quorum: nodes/2 + 1}
}

// replace gives a node that is down an empty data directory and starts it.
func (r *replacement) replace(i int) {
	r.t.Helper()
	r.Wipe(i)
	r.Start(i)
}

// awaitReady waits for a node, and checks the configuration of every node that leads meanwhile.
func (r *replacement) awaitReady(i int) {
	r.t.Helper()
	var why error
	require.Eventually(r.t, func() bool {
		r.checkQuorum()
		why = r.Nodes[i].Ready()
		return why == nil
	}, 30*time.Second, 2*time.Millisecond, "node %d is not ready: %v", i, why)
}

// checkQuorum demands that charges need as many voters as before.
func (r *replacement) checkQuorum() {
	for _, n := range r.Nodes {
		if n.Node == nil || !n.Leads() {
			continue
		}
		voters := 0
		servers := n.Servers()
		for _, s := range servers {
			if s.Suffrage == raft.Voter {
				voters++
			}
		}
		if len(servers) > 0 && voters/2+1 != r.quorum {
			r.t.Errorf("a charge needs %d voters where it needed %d: %v", voters/2+1, r.quorum, servers)
		}
	}
}

// awaitListed waits until the leader knows a node, with or without a vote.
func (r *replacement) awaitListed(i int) {
	r.t.Helper()
	id := r.Nodes[i].ID()
	require.Eventually(r.t, func() bool {
		r.checkQuorum()
		for _, n := range r.Nodes {
			if n.Node != nil && n.Leads() && n.Server(id) != nil {
				return true
			}
		}
		return false
	}, 30*time.Second, time.Millisecond)
}

// settled waits until every node that runs is ready and votes, and nobody else is in the configuration.
func (r *replacement) settled() {
	r.t.Helper()
	r.WaitReady()
	want := map[raft.ServerID]bool{}
	for _, n := range r.Nodes {
		want[raft.ServerID(n.ID())] = true
	}
	require.Eventually(r.t, func() bool {
		r.checkQuorum()
		servers := r.Nodes[r.Leader()].Servers()
		for _, s := range servers {
			if !want[s.ID] || s.Suffrage != raft.Voter {
				return false
			}
		}
		return len(servers) == len(want)
	}, 30*time.Second, 5*time.Millisecond)
	r.WaitSameDigest()
}

// charge charges through the nodes that run, except one, until stop, which returns how many charges were answered. None may fail.
func (r *replacement) charge(except int) (stop func() int64) {
	var nodes []*cluster.Node
	for i, n := range r.Nodes {
		if n.Node != nil && i != except {
			nodes = append(nodes, n.Node)
		}
	}
	var over atomic.Bool
	var charged atomic.Int64
	var clients sync.WaitGroup
	for _, n := range nodes {
		clients.Go(func() {
			for !over.Load() {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				result, _, err := n.Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}})
				cancel()
				if err != nil {
					r.t.Errorf("a charge was not answered: %v", err)
					return
				}
				if v := result.(*fsm.Verdict); v.Code != fsm.Valid {
					r.t.Errorf("a charge was denied: %v", v.Code)
					return
				}
				charged.Add(1)
			}
		})
	}
	return func() int64 {
		over.Store(true)
		clients.Wait()
		return charged.Load()
	}
}

// left is the balance that a charge of nothing shows.
func (r *replacement) left(i int) int64 {
	return r.Do(i, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 0}).(*fsm.Verdict).Credits
}

const replacementCredits = 1_000_000_000

// Every node loses its data, one after the other, each as soon as the one before is ready: nothing is lost, and the cluster never stops.
func TestCluster_ReplacesEveryNodeInTurn(t *testing.T) {
	for name, test := range map[string]struct {
		nodes       int
		leaderFirst bool
	}{
		"three, leader first": {3, true},
		"three, leader last":  {3, false},
		"five, leader first":  {5, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplacement(t, test.nodes)
			charged := int64(0)
			for _, i := range r.order(test.leaderFirst) {
				stop := r.charge(i)
				r.Stop(i)
				r.replace(i)
				r.awaitReady(i)
				require.NotNil(t, r.Nodes[i].Server(r.Nodes[i].ID()))
				charged += stop()
				require.Equal(t, replacementCredits-charged, r.left(i))
			}
			r.settled()
			require.Positive(t, charged)
		})
	}
}

// order is the order in which the nodes are replaced.
func (r *replacement) order(leaderFirst bool) []int {
	leader := r.Leader()
	order := []int{leader}
	for i := range r.Nodes {
		if i != leader {
			order = append(order, i)
		}
	}
	if !leaderFirst {
		order = append(order[1:], leader)
	}
	return order
}

// A successor that loses its data in turn, before or after it got its vote, is replaced like any node, and nothing stays of it.
func TestCluster_ReplacesASuccessorAsWell(t *testing.T) {
	r := newReplacement(t, 3)
	i := r.Follower()
	stop := r.charge(i)
	r.StopAbruptly(i)
	for range 3 {
		r.replace(i)
		r.awaitListed(i)
		r.StopAbruptly(i)
	}
	r.replace(i)
	r.awaitReady(i)
	require.Equal(t, replacementCredits-stop(), r.left(i))
	r.settled()
}

// The leader dies while a node is being replaced. The next leader goes on where it was.
func TestCluster_GoesOnWithAReplacementAfterALossOfTheLeader(t *testing.T) {
	r := newReplacement(t, 3)
	i, leader := r.Follower(), r.Leader()
	r.StopAbruptly(i)
	r.replace(i)
	r.awaitListed(i)
	r.StopAbruptly(leader)
	r.Start(leader)
	r.awaitReady(i)
	r.settled()
	require.Equal(t, int64(replacementCredits), r.left(i))
}

// Two of five nodes are replaced at once.
func TestCluster_ReplacesTwoNodesAtOnce(t *testing.T) {
	r := newReplacement(t, 5)
	leader := r.Leader()
	i, j := (leader+1)%5, (leader+2)%5
	stop := r.charge(i)
	charged := stop()
	r.StopAbruptly(i)
	r.StopAbruptly(j)
	r.replace(i)
	r.replace(j)
	r.awaitReady(i)
	r.awaitReady(j)
	require.Equal(t, replacementCredits-charged, r.left(j))
	r.settled()
}
