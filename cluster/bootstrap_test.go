package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
)

// record keeps log lines.
type record struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(p))
	return len(p), nil
}

func (r *record) with(text string) (found []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// One node is left with its data, and three empty ones would be enough to found a cluster. They must not, and must not be told to: the
// ledger is on the node that is left. They say what they wait for, once.
func TestCluster_EmptyNodesFoundNothingBesideASurvivor(t *testing.T) {
	t.Parallel()
	said := &record{}
	log := func(conf *cluster.Config) { conf.Logger = slog.New(slog.NewTextHandler(said, nil)) }
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	survivor := c.Leader()
	empty := []int{(survivor + 1) % 3, (survivor + 2) % 3}
	for _, i := range empty {
		c.StopAbruptly(i)
		c.Wipe(i)
	}
	stepsDown(t, c, survivor)
	c.Tune(log)
	for _, i := range empty {
		c.Start(i)
	}
	empty = append(empty, c.Add())
	for _, i := range empty {
		require.Eventually(t, func() bool {
			err := c.Nodes[i].Ready()
			return err != nil && strings.Contains(err.Error(), "members that have data are seen") &&
				strings.Contains(err.Error(), c.Nodes[survivor].ID()+" at "+c.Nodes[survivor].Peer)
		}, 30*time.Second, 10*time.Millisecond)
	}
	before := len(said.with("members that have data are seen"))
	require.Never(t, func() bool {
		for _, i := range empty {
			if index, _ := c.Nodes[i].Digest(); index > 0 || len(c.Nodes[i].Servers()) > 0 {
				return true
			}
		}
		return len(said.with("members that have data are seen")) > before+len(empty) // each may learn of one more change
	}, time.Second, 50*time.Millisecond)
	require.Empty(t, said.with("surplus"))
	require.Empty(t, said.with("bootstrapped"))
}

// The empty nodes join once the cluster that they see has a leader again.
func TestCluster_EmptyNodesJoinOnceThereIsALeader(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	leader := c.Leader()
	down := []int{(leader + 1) % 3, (leader + 2) % 3}
	for _, i := range down {
		c.StopAbruptly(i)
	}
	stepsDown(t, c, leader)
	joiner := c.Add()
	require.Eventually(t, func() bool {
		err := c.Nodes[joiner].Ready()
		return err != nil && strings.Contains(err.Error(), "they have no leader")
	}, 30*time.Second, 10*time.Millisecond)
	for _, i := range down {
		c.Start(i)
	}
	c.WaitReady()
	require.Len(t, c.Nodes[joiner].Servers(), 4)
}

// A new node that sees a healthy cluster through gossip and reaches nobody's peer port is not told that the cluster has lost its majority: who
// follows that advice recovers a cluster that runs.
func TestCluster_AnEmptyNodeThatReachesNobodySaysSo(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	c.Tune(func(conf *cluster.Config) {
		conf.AdvertisePeer = "127.0.0.1:9" // nobody reaches it there
		conf.Dial = func(context.Context, string) (net.Conn, error) { return nil, errors.New("refused") }
	})
	joiner := c.Add()
	var why string
	require.Eventually(t, func() bool {
		why = c.Nodes[joiner].Ready().Error()
		return strings.Contains(why, "members that have data are seen")
	}, 30*time.Second, 10*time.Millisecond)
	require.Contains(t, why, "do not answer this node at their peer addresses")
	require.Contains(t, why, c.Nodes[0].ID()+" at ")
}

func stepsDown(t *testing.T, c *clustertest.Cluster, leader int) {
	t.Helper()
	require.Eventually(t, func() bool { return !c.Nodes[leader].Leads() }, 30*time.Second, 5*time.Millisecond)
}

// A cluster that was just made has no leader to wait for, and neither has a node that is alone: they elect one at once.
func TestCluster_ElectsAtOnceWhereNobodyCanLead(t *testing.T) {
	t.Parallel()
	const silence = 20 * time.Second
	patient := func(conf *cluster.Config) {
		conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaseTimeout = silence, silence, silence
	}
	begin := time.Now()
	clustertest.New(t, 3, patient)
	require.Less(t, time.Since(begin), silence, "nobody stands for election sooner than that by itself")

	begin = time.Now()
	alone := clustertest.New(t, 1, patient)
	alone.StopAbruptly(0)
	alone.Start(0)
	alone.WaitReady()
	require.Less(t, time.Since(begin), silence)
}
