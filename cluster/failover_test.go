package cluster_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// spending counts the answers of concurrent clients.
type spending struct {
	charged, denied, notExecuted, unknown atomic.Int64
}

func (s *spending) spend(ctx context.Context, n *cluster.Node, key byte) {
	r, _, err := n.Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{key}, Cost: 1}})
	switch {
	case err != nil && fault.KindOf(err) == fault.Unknown:
		s.unknown.Add(1)
	case err != nil:
		s.notExecuted.Add(1)
	case r.(*fsm.Verdict).Code == fsm.Valid:
		s.charged.Add(1)
	default:
		s.denied.Add(1)
	}
}

// run lets clients spend through all given nodes until stop is closed or all have spent rounds times.
func (s *spending) run(nodes []*cluster.Node, clients, rounds int, stop <-chan struct{}) *sync.WaitGroup {
	var wg sync.WaitGroup
	for i := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range rounds {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				s.spend(ctx, nodes[i%len(nodes)], byte(i%2+1))
				cancel()
			}
		}()
	}
	return &wg
}

func nodesOf(c *clustertest.Cluster) (nodes []*cluster.Node) {
	for _, m := range c.Nodes {
		nodes = append(nodes, m.Node)
	}
	return nodes
}

func remaining(t *testing.T, c *clustertest.Cluster, at int) int64 {
	t.Helper()
	return c.Ask(at, &fsm.GetIdentity{Identity: "alice"}).(*fsm.Identity).Credits.Remaining
}

// n credits admit exactly n calls of cost 1, for any number of clients, keys and nodes: contract 3.4.
func TestCluster_NeverSpendsMoreThanThereIs(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 1000)
	var s spending
	s.run(nodesOf(c), 60, 50, nil).Wait()
	require.Equal(t, int64(1000), s.charged.Load())
	require.Equal(t, int64(2000), s.denied.Load())
	require.Zero(t, remaining(t, c, c.Follower()))
	c.WaitSameDigest()
}

// A planned change of leader causes no error: what was not executed is sent to the next leader.
func TestCluster_HidesATransferOfLeadership(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 1<<40)
	var s spending
	stop := make(chan struct{})
	done := s.run(nodesOf(c), 30, 1<<30, stop)
	for range 5 {
		before := s.charged.Load()
		leader, follower := c.Leader(), c.Follower()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		require.NoError(t, c.Nodes[follower].TransferLeadership(ctx, c.Nodes[follower].ID()))
		cancel()
		require.Eventually(t, func() bool { return c.Nodes[follower].Leads() || c.Leader() != leader }, 20*time.Second, time.Millisecond)
		require.Eventually(t, func() bool { return s.charged.Load() > before+100 }, 20*time.Second, time.Millisecond)
	}
	close(stop)
	done.Wait()
	require.Zero(t, s.notExecuted.Load())
	require.Zero(t, s.denied.Load())
	require.Zero(t, s.unknown.Load())
	require.Equal(t, s.charged.Load(), 1<<40-remaining(t, c, 0))
	c.WaitSameDigest()
}

// When the leader dies, the other nodes fail no request and debit nothing twice. They retransmit what was in flight under its call id.
func TestCluster_ChargesOnceWhenTheLeaderIsLost(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 1<<40)
	for range 3 {
		leader := c.Leader()
		survivors := nodesOf(c)
		survivors = append(survivors[:leader:leader], survivors[leader+1:]...)
		before := 1<<40 - remaining(t, c, leader)
		var s spending
		stop := make(chan struct{})
		done := s.run(survivors, 20, 1<<30, stop)
		require.Eventually(t, func() bool { return s.charged.Load() > 200 }, 20*time.Second, time.Millisecond)
		c.StopAbruptly(leader)
		after := s.charged.Load()
		require.Eventually(t, func() bool { return s.charged.Load() > after+200 }, 20*time.Second, time.Millisecond)
		close(stop)
		done.Wait()
		require.Zero(t, s.notExecuted.Load())
		c.Start(leader)
		c.WaitReady()
		require.Zero(t, s.unknown.Load())
		require.Equal(t, s.charged.Load(), 1<<40-remaining(t, c, leader)-before)
		c.WaitSameDigest()
	}
}

// An isolated leader keeps its clients waiting. Their requests go to the next leader and are executed exactly once.
func TestCluster_ChargesOnceWhenTheLeaderIsCutOff(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 1<<40)
	var s spending
	stop := make(chan struct{})
	done := s.run(nodesOf(c), 30, 1<<30, stop)
	for range 3 {
		old := c.Leader()
		for i := range c.Nodes {
			if i != old {
				c.Cut(old, i)
			}
		}
		require.Eventually(t, func() bool { return c.Nodes[(old+1)%3].Leads() || c.Nodes[(old+2)%3].Leads() }, 20*time.Second, time.Millisecond)
		before := s.charged.Load()
		require.Eventually(t, func() bool { return s.charged.Load() > before+200 }, 20*time.Second, time.Millisecond)
		for i := range c.Nodes {
			if i != old {
				c.Heal(old, i)
			}
		}
		c.WaitReady()
	}
	close(stop)
	done.Wait()
	require.Zero(t, s.notExecuted.Load())
	require.Zero(t, s.unknown.Load())
	require.Equal(t, s.charged.Load(), 1<<40-remaining(t, c, 0))
	c.WaitSameDigest()
}

// A session that the ledger has expired is replaced, and the client does not notice.
func TestCluster_OpensAnotherSessionWhenItsOwnExpired(t *testing.T) {
	t.Parallel()
	clock := clustertest.NewClock()
	c := clustertest.New(t, 1, clock.Set)
	seed(t, c, 0, 100)
	clock.Advance(2 * time.Hour)
	require.Equal(t, int64(99), c.Do(0, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
	require.Equal(t, int64(98), c.Do(0, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Credits)
}

// An isolated leader must not answer from memory what the others have changed since: raft's lease does not protect a read.
func TestCluster_ADeposedLeaderServesNoStaleRead(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	old := c.Leader()
	for i := range c.Nodes {
		if i != old {
			c.Cut(old, i)
		}
	}
	// At once, while it still believes that it leads.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	type answer struct {
		r   fsm.Result
		err error
	}
	early := make(chan answer, 1)
	next := (old + 1) % 3
	require.Eventually(t, func() bool { return c.Nodes[next].Leads() || c.Nodes[(old+2)%3].Leads() }, 20*time.Second, time.Millisecond)
	c.Do(next, &fsm.UpdateIdentityCredits{Identity: "alice", Change: fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: 7}})
	go func() {
		r, _, err := c.Nodes[old].Answer(ctx, clustertest.RootKey, &fsm.GetIdentity{Identity: "alice"})
		early <- answer{r, err}
	}()
	for i := range c.Nodes {
		if i != old {
			c.Heal(old, i)
		}
	}
	a := <-early
	require.NoError(t, a.err)
	require.Equal(t, int64(7), a.r.(*fsm.Identity).Credits.Remaining)
}

// A minority answers no linearizable request.
func TestCluster_AMinorityServesNothingLinearizable(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, func(conf *cluster.Config) { conf.LeaderWait = time.Second })
	seed(t, c, 0, 100)
	old := c.Leader()
	for i := range c.Nodes {
		if i != old {
			c.Cut(old, i)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, _, err := c.Nodes[old].Answer(ctx, clustertest.RootKey, &fsm.GetIdentity{Identity: "alice"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	_, _, err = c.Nodes[old].Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}})
	require.Error(t, err)
	// A stale read is still possible.
	r, _, err := c.Nodes[old].AnswerStale(ctx, clustertest.RootKey, &fsm.GetIdentity{Identity: "alice"}, 0)
	require.NoError(t, err)
	require.Equal(t, int64(100), r.(*fsm.Identity).Credits.Remaining)
}

// A node that stops answers every waiting request: none may hang on a future of raft.
func TestCluster_AnswersEveryoneAtShutdown(t *testing.T) {
	for range 5 {
		c := clustertest.New(t, 1, nil)
		seed(t, c, 0, 1<<40)
		var s spending
		stop := make(chan struct{})
		done := s.run(nodesOf(c), 100, 1<<30, stop)
		require.Eventually(t, func() bool { return s.charged.Load() > 500 }, 20*time.Second, time.Millisecond)
		c.StopAbruptly(0)
		close(stop)
		finished := make(chan struct{})
		go func() { done.Wait(); close(finished) }()
		select {
		case <-finished:
		case <-time.After(10 * time.Second):
			t.Fatal("somebody still waits for an answer")
		}
		c.Start(0)
		c.WaitReady()
		spent := 1<<40 - remaining(t, c, 0)
		require.LessOrEqual(t, s.charged.Load(), spent)
		require.LessOrEqual(t, spent, s.charged.Load()+s.unknown.Load())
	}
}

// A flood of denied calls must not grow the log with the number of calls: contract 3.4.
func TestCluster_DeniedVerificationsShareEntries(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 0)
	before, _ := c.Nodes[c.Leader()].Digest()
	var s spending
	s.run(nodesOf(c), 300, 20, nil).Wait()
	require.Equal(t, int64(6000), s.denied.Load())
	after, _ := c.Nodes[c.Leader()].Digest()
	require.Less(t, after-before, uint64(1500))
}

// A leader whose peer port refuses connections has ended. Its followers do not wait for their timeouts, and do not split the vote.
func TestCluster_ReplacesADeadLeaderBeforeTheTimeout(t *testing.T) {
	const timeout = 3 * time.Second
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaseTimeout = timeout, timeout, timeout
	})
	leader := c.Leader()
	begin := time.Now()
	c.Nodes[leader].Fail(errors.New("lost its disk"))
	require.Eventually(t, func() bool {
		for i, n := range c.Nodes {
			if i != leader && n.Leads() {
				return true
			}
		}
		return false
	}, 20*time.Second, time.Millisecond)
	require.Less(t, time.Since(begin), timeout, "no follower gives up on a silent leader sooner than that by itself")
}

// Packets lost during a transfer of leadership hurt most: raft refuses every entry until the other node answers, and remembers this
// beyond the term. Neither may last.
func TestCluster_OutlivesATransferThatGetsLost(t *testing.T) {
	t.Parallel()
	t.Run("the leader goes on", func(t *testing.T) {
		c := clustertest.New(t, 3, nil)
		seed(t, c, 0, 1000)
		leader, hung := c.Leader(), c.Follower()
		third := 3 - leader - hung
		c.WaitSameDigest()
		c.Block(leader, hung)
		transferred := transferInVain(t, c, leader, hung)
		for range 20 { // before, during and after
			chargeWithin(t, c, third, 8*time.Second)
		}
		require.Error(t, <-transferred)
	})
	t.Run("the leader is elected again", func(t *testing.T) {
		slow := -1
		c := clustertest.New(t, 3, func(conf *cluster.Config) {
			if slow++; slow == 2 {
				conf.HeartbeatTimeout, conf.ElectionTimeout = 5*time.Second, 5*time.Second // it votes, and does not stand
			}
		})
		seed(t, c, 0, 1000)
		if c.Leader() == 2 {
			require.NoError(t, c.Nodes[2].TransferLeadership(context.Background(), c.Nodes[0].ID()))
			require.Eventually(t, c.Nodes[0].Leads, 10*time.Second, 5*time.Millisecond)
		}
		leader := c.Leader()
		hung := 1 - leader
		c.WaitSameDigest()
		c.Block(leader, hung)
		transferred := transferInVain(t, c, leader, hung)
		c.Cut(leader, 2)
		c.Cut(hung, 2)
		require.Eventually(t, func() bool { return !c.Nodes[leader].Leads() }, 10*time.Second, time.Millisecond)
		c.Heal(leader, 2)
		chargeWithin(t, c, 2, 15*time.Second)
		<-transferred
		c.Heal(leader, hung)
		c.Heal(hung, 2)
		c.WaitSameDigest()
	})
}

// transferInVain begins to transfer leadership to a node that hears nothing, and returns once raft refuses entries because of it.
func transferInVain(t *testing.T, c *clustertest.Cluster, from, to int) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		done <- c.Nodes[from].TransferLeadership(ctx, c.Nodes[to].ID())
	}()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, _, err := c.Nodes[from].Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}})
		return err != nil
	}, 10*time.Second, time.Millisecond, "the transfer did not begin")
	return done
}

func chargeWithin(t *testing.T, c *clustertest.Cluster, i int, patience time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, _, err := c.Nodes[i].Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}})
	require.NoError(t, err)
	require.Equal(t, fsm.Valid, r.(*fsm.Verdict).Code)
}
