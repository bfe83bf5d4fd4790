package cluster_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

func voters(t *testing.T, n *cluster.Node) map[string]bool {
	t.Helper()
	status, err := n.Status(context.Background())
	require.NoError(t, err)
	votes := map[string]bool{}
	for _, s := range status.Nodes {
		votes[s.NodeID] = s.Voter
	}
	return votes
}

// A new node gets a vote only after it has caught up: an empty voter would raise the quorum and could not help to reach it.
func TestCluster_TakesANewcomerInAndPromotesIt(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	i := c.Add()
	c.WaitReady()
	id := c.Nodes[i].ID()
	require.Eventually(t, func() bool { return voters(t, c.Nodes[0].Node)[id] }, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, int64(99), c.Do(i, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
	c.WaitSameDigest()
}

// A node that lost its disk comes back under a new id: the old id can never vote again.
func TestCluster_ReplacesANodeThatLostItsData(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	i := c.Follower()
	old := c.Nodes[i].ID()
	c.StopAbruptly(i)
	c.Wipe(i)
	c.Start(i)
	require.NotEqual(t, old, c.Nodes[i].ID())
	c.WaitReady()
	other := c.Follower()
	require.Eventually(t, func() bool {
		v := voters(t, c.Nodes[other].Node)
		_, listed := v[old]
		return v[c.Nodes[i].ID()] && (!listed || !v[old])
	}, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, int64(99), c.Do(i, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
	c.WaitSameDigest()
}

// Until gossip reports the new node, the leader looks for the old one at the same address. The new node must acknowledge nothing in the
// name of the old one.
func TestCluster_NeverTakesAnEmptyNodeForTheOldOne(t *testing.T) {
	t.Parallel()
	var alone atomic.Bool
	var lost atomic.Value // the address of the node that is looked for
	var attempts atomic.Int64
	refused := &lines{text: "meant for node"}
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		if alone.Load() {
			conf.GossipAddr, conf.Join = "127.0.0.1:0", nil
			conf.Logger = slog.New(slog.NewTextHandler(refused, nil))
		}
		dial := conf.Dial
		conf.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			if addr == lost.Load() {
				attempts.Add(1)
			}
			return dial(ctx, addr)
		}
	})
	seed(t, c, 0, 1000)
	i := c.Follower()
	c.StopAbruptly(i)
	c.Wipe(i)
	alone.Store(true)
	c.Start(i)
	lost.Store(c.Nodes[i].Peer)
	up := c.Leader()
	require.Eventually(t, func() bool {
		c.Do(up, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}) // something to acknowledge
		return refused.count.Load() >= 1 && attempts.Load() >= 10
	}, 30*time.Second, 10*time.Millisecond, "the leader does not look for the old node")
	index, _ := c.Nodes[i].Digest()
	require.Zero(t, index, "the new node took entries that were meant for the old one")
}

// lines counts the log lines that contain a text.
type lines struct {
	text  string
	count atomic.Int64
}

func (l *lines) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(l.text)) {
		l.count.Add(1)
	}
	return len(p), nil
}

// A silent node keeps its vote.
func TestCluster_KeepsTheVoteOfANodeThatIsDown(t *testing.T) {
	t.Parallel()
	const reconcile = 50 * time.Millisecond
	c := clustertest.New(t, 3, func(conf *cluster.Config) { conf.ReconcileInterval = reconcile })
	seed(t, c, 0, 100)
	i := c.Follower()
	id := c.Nodes[i].ID()
	c.StopAbruptly(i)
	up := c.Leader()
	require.Eventually(t, func() bool {
		status, err := c.Nodes[up].Status(context.Background())
		require.NoError(t, err)
		for _, s := range status.Nodes {
			if s.NodeID == id {
				return s.Role == "unknown" && s.Health != "alive"
			}
		}
		return false
	}, 30*time.Second, 20*time.Millisecond)
	require.Never(t, func() bool { return !voters(t, c.Nodes[up].Node)[id] }, 20*reconcile, reconcile, "the leader looked many times")
}

// A removed node stops and is not added again. The others continue, also when the removed node led.
func TestCluster_RemovesAServer(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	for round, i := range []int{c.Follower(), c.Leader()} {
		id := c.Nodes[i].ID()
		asked := c.Follower()
		if asked == i {
			asked = c.Leader()
		}
		require.ErrorContains(t, c.Nodes[asked].RemoveServer(context.Background(), "nobody", "a test"), "not")
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		require.NoError(t, c.Nodes[asked].RemoveServer(ctx, id, "a test"))
		select {
		case err := <-c.Nodes[i].Failed():
			require.ErrorContains(t, err, "removed")
		case <-ctx.Done():
			require.Fail(t, "the removed node was not told")
		}
		c.StopAbruptly(i)
		up := c.Leader()
		require.False(t, voters(t, c.Nodes[up].Node)[id], "round %d", round) // gossip remembers it for a while
		require.Equal(t, int64(99-round), c.Do(up, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
	}
	last := c.Leader()
	require.Error(t, c.Nodes[last].RemoveServer(context.Background(), c.Nodes[last].ID(), "a test"), "the last voter stays")
	err := c.Nodes[last].TransferLeadership(context.Background(), "")
	require.Equal(t, fault.Invalid, fault.KindOf(err), "nobody is to come, so there is nothing to wait for: %v", err)
}

// A data directory of one cluster must not join another one.
func TestNode_RefusesAnotherCluster(t *testing.T) {
	t.Parallel()
	ours := clustertest.New(t, 1, nil)
	seed(t, ours, 0, 1)
	ours.Stop(0)
	theirs := clustertest.New(t, 1, nil)

	s, err := store.Open(store.Options{Dir: ours.Dir(0), Reads: replica.Reads("test")})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conf := cluster.DefaultConfig()
	conf.Store, conf.PeerListener, conf.GossipAddr, conf.Join = s, l, ours.Nodes[0].Gossip, []string{theirs.Nodes[0].Gossip}
	n, err := cluster.New(conf)
	require.NoError(t, err)
	err = n.Start()
	require.ErrorContains(t, err, "belongs to cluster")
	require.ErrorContains(t, err, "use another data directory")
}

// A voter that got the address of another voter does not replace it: the other one has its data and keeps its vote.
func TestCluster_KeepsTheVoteOfANodeWhoseAddressAnotherVoterGot(t *testing.T) {
	t.Parallel()
	const reconcile = 50 * time.Millisecond
	c := clustertest.New(t, 3, func(conf *cluster.Config) { conf.ReconcileInterval = reconcile })
	seed(t, c, 0, 100)
	x := c.Follower()
	y := 3 - x - c.Leader()
	down := c.Nodes[x].ID()
	c.StopAbruptly(x)
	c.Do(c.Leader(), &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1})
	c.StopAbruptly(y)
	c.Nodes[y].Peer = c.Nodes[x].Peer
	c.Start(y)
	c.WaitReady()
	c.Do(y, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1})
	require.Never(t, func() bool { return !voters(t, c.Nodes[c.Leader()].Node)[down] }, 10*reconcile, reconcile/4)
}

// A removed node is told at its last address. Another node may have that address by now, and must not leave.
func TestCluster_OnlyTheRemovedNodeLeaves(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	x := c.Follower()
	y := 3 - x - c.Leader()
	leader := c.Nodes[c.Leader()]
	require.ErrorContains(t, leader.AskToLeave(t.Context(), c.Nodes[y].ID(), c.Nodes[x].Peer), "Another node has this address")
	require.NoError(t, leader.AskToLeave(t.Context(), c.Nodes[y].ID(), c.Nodes[y].Peer))
	require.ErrorContains(t, <-c.Nodes[y].Failed(), "was removed")
	select {
	case err := <-c.Nodes[x].Failed():
		require.NoError(t, err, "the node at the address of the removed one left")
	default:
	}
	c.Do(x, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1})
}

// A dead voter is news once. raft repeats itself four times a second for as long as the voter is down.
func TestCluster_SaysOnceThatAVoterIsDown(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var text bytes.Buffer
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		conf.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, &text}, nil))
		conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaseTimeout = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
	})
	seed(t, c, 0, 100)
	down := c.Follower()
	failed := c.Nodes[c.Leader()].CountFailedHeartbeats(t, c.Nodes[down].ID())
	mu.Lock()
	text.Reset()
	mu.Unlock()
	c.StopAbruptly(down)
	require.Eventually(t, func() bool { return failed.Load() >= 20 }, 30*time.Second, 10*time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	kinds := map[string]int{}
	for line := range strings.Lines(text.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			_, line, _ = strings.Cut(line, " level=")
			kinds[digits.ReplaceAllString(line, "#")]++
		}
		require.NotContains(t, line, "127.0.0.1:0 ")
	}
	for kind, times := range kinds {
		require.Equal(t, 1, times, kind)
	}
}

var digits = regexp.MustCompile(`\d+`)

// lockedWriter collects what several nodes write.
type lockedWriter struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
