package cluster_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// standing is what a status says of one node, without what differs from moment to moment.
type standing struct {
	Membership                    cluster.Membership
	Voter                         bool
	Health, ReplacedBy, RemovedBy string
	LeftAt                        int64
}

func standings(t *testing.T, n *cluster.Node) map[string]standing {
	t.Helper()
	status, err := n.Status(t.Context())
	require.NoError(t, err)
	all := make(map[string]standing)
	for _, s := range status.Nodes {
		all[s.NodeID] = standing{s.Membership, s.Voter, s.Health, s.ReplacedBy, s.RemovedBy, s.LeftAt}
	}
	return all
}

// awaitSame waits until all nodes that are up say the same of every node, and it satisfies the condition.
func awaitSame(t *testing.T, c *clustertest.Cluster, what string, condition func(map[string]standing) bool) {
	t.Helper()
	var views []map[string]standing
	defer func() {
		if t.Failed() {
			t.Logf("%s: %+v", what, views)
		}
	}()
	require.Eventually(t, func() bool {
		views = nil
		for _, n := range c.Nodes {
			if n.Node != nil {
				views = append(views, standings(t, n.Node))
			}
		}
		for _, view := range views {
			if !maps.Equal(views[0], view) {
				return false
			}
		}
		return condition(views[0])
	}, 30*time.Second, 20*time.Millisecond, what)
}

func remove(t *testing.T, c *clustertest.Cluster, at int, id, by string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return c.Nodes[at].RemoveServer(ctx, id, by)
}

// Whoever is asked, the operator reads the same: what each node is, who removed one, and who replaced another. Each refusal says why.
func TestDepartures_EveryNodeSaysTheSame(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	replaced := c.Follower()
	lost := c.Nodes[replaced].ID()
	c.StopAbruptly(replaced)
	c.Wipe(replaced)
	c.Start(replaced)
	successor := c.Nodes[replaced].ID()
	awaitSame(t, c, "a voter was replaced", func(all map[string]standing) bool {
		return all[lost].Membership == cluster.Replaced && all[lost].ReplacedBy == successor && all[lost].LeftAt > 0 &&
			all[successor].Membership == cluster.Voter && all[successor].Health == "alive"
	})

	gone := 3 - replaced - c.Leader()
	if gone == c.Leader() || gone == replaced {
		gone = c.Follower()
	}
	removed := c.Nodes[gone].ID()
	require.NoError(t, remove(t, c, c.Leader(), removed, "root key key_1"))
	err := <-c.Nodes[gone].Failed()
	require.Equal(t, store.KindRemoved, store.KindOf(err))
	require.ErrorContains(t, err, "by root key key_1")
	c.StopAbruptly(gone)
	awaitSame(t, c, "a voter was removed", func(all map[string]standing) bool {
		return all[removed].Membership == cluster.Removed && all[removed].RemovedBy == "root key key_1" && all[removed].LeftAt > 0
	})

	refusals := map[string]string{
		removed:        "The node is not part of this cluster any more: " + removed + " was removed at ",
		lost:           "The node is not part of this cluster any more: " + lost + " was replaced by " + successor + " at ",
		"node_unknown": "The node is not part of this cluster: node_unknown",
	}
	for id, want := range refusals {
		var said []string
		for i, n := range c.Nodes {
			if n.Node == nil {
				continue
			}
			var refused *fault.Error
			require.ErrorAs(t, remove(t, c, i, id, "x"), &refused)
			require.Equal(t, fault.Invalid, refused.Kind)
			require.Contains(t, refused.Detail, want)
			said = append(said, refused.Detail)
		}
		require.Len(t, said, 2)
		require.Equal(t, said[0], said[1])
	}
}

// Who left for good is soon not listed any more, by raft's configuration or by gossip.
func TestDepartures_AreForgottenByTheStatus(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, func(conf *cluster.Config) { conf.ForgetAfter = 500 * time.Millisecond })
	seed(t, c, 0, 100)
	gone := c.Follower()
	require.NoError(t, remove(t, c, c.Leader(), c.Nodes[gone].ID(), "root key key_1"))
	<-c.Nodes[gone].Failed()
	c.StopAbruptly(gone)
	awaitSame(t, c, "two nodes are left", func(all map[string]standing) bool { return len(all) == 2 })
	for _, n := range c.Nodes {
		if n.Node != nil {
			require.Eventually(t, func() bool { return n.Members() == 2 }, 30*time.Second, 10*time.Millisecond)
		}
	}
}

// A node that was down while it was removed must learn it from the others, and may not campaign or wait without end. Its next start needs
// nobody to say it.
func TestDepartures_ANodeThatWasDownLearnsIt(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	down := c.Follower()
	id := c.Nodes[down].ID()
	c.StopAbruptly(down)
	require.NoError(t, remove(t, c, c.Leader(), id, "root key key_2"))
	c.Start(down)
	select {
	case err := <-c.Nodes[down].Failed():
		require.Equal(t, store.KindRemoved, store.KindOf(err), err)
		require.ErrorContains(t, err, id+" left cluster ")
		require.ErrorContains(t, err, "it was removed at ")
		require.ErrorContains(t, err, " by root key key_2")
	case <-time.After(30 * time.Second):
		require.Fail(t, "the removed node was not told")
	}
	c.StopAbruptly(down)
	_, err := store.Open(store.Options{Dir: c.Dir(down)})
	require.Equal(t, store.KindRemoved, store.KindOf(err), err)
	require.ErrorContains(t, err, " by root key key_2")
	require.Equal(t, int64(99), c.Do(c.Leader(), &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
}

// Who left is known after all nodes were restarted, and to a node that joined later.
func TestDepartures_AreRemembered(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	gone := c.Follower()
	id := c.Nodes[gone].ID()
	require.NoError(t, remove(t, c, c.Leader(), id, "root key key_3"))
	<-c.Nodes[gone].Failed()
	c.StopAbruptly(gone)
	for i, n := range c.Nodes {
		if i != gone {
			c.StopAbruptly(i)
			require.Nil(t, n.Node)
		}
	}
	for i := range c.Nodes {
		if i != gone {
			c.Start(i)
		}
	}
	later := c.Add()
	c.WaitReady()
	for _, i := range []int{c.Leader(), later} {
		require.Eventually(t, func() bool {
			err := remove(t, c, i, id, "x")
			return err != nil && fault.KindOf(err) == fault.Invalid
		}, 30*time.Second, 20*time.Millisecond)
		require.ErrorContains(t, remove(t, c, i, id, "x"), " by root key key_3")
	}
	require.Eventually(t, func() bool { return c.Nodes[later].KnowsDeparture(id) }, 30*time.Second, 20*time.Millisecond)
}
