package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

func charge(c *clustertest.Cluster, at int) (fsm.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, _, err := c.Nodes[at].Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}})
	return r, err
}

func awaitDiskFull(t *testing.T, c *clustertest.Cluster, at int) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := charge(c, at)
		return err != nil && fault.KindOf(err) == fault.DiskFull
	}, 20*time.Second, time.Millisecond)
}

func quickChecks(conf *cluster.Config) { conf.ClockInterval = 50 * time.Millisecond }

// A write to a full disk would stop the node. So changes are refused earlier, reads and denials continue, and changes resume by themselves.
func TestDisk_ASingleNodeRefusesChangesAndGoesOnReading(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 1, quickChecks)
	seed(t, c, 0, 1<<40)
	c.Fill(0, true)
	awaitDiskFull(t, c, 0)
	left := remaining(t, c, 0)
	_, err := charge(c, 0)
	require.ErrorContains(t, err, c.Nodes[0].ID())
	require.Equal(t, left, remaining(t, c, 0))
	unknown := c.Do(0, &fsm.VerifyKey{Hash: fsm.Hash{77}, Cost: 1}).(*fsm.Verdict)
	require.Equal(t, fsm.NotFound, unknown.Code)
	free := c.Do(0, &fsm.VerifyKey{Hash: fsm.Hash{2}}).(*fsm.Verdict)
	require.Equal(t, fsm.Valid, free.Code, "it was never dated, and that can wait")

	// It can still be restarted.
	c.Stop(0)
	c.Start(0)
	c.WaitReady()
	awaitDiskFull(t, c, 0)
	require.Equal(t, left, remaining(t, c, 0))

	c.Fill(0, false)
	require.Eventually(t, func() bool { _, err := charge(c, 0); return err == nil }, 20*time.Second, time.Millisecond)
	require.Equal(t, left-1, remaining(t, c, 0))
}

// One full disk of three causes no error: a leader transfers leadership, and a follower does not count. With two, changes are refused.
func TestDisk_AMajorityWithSpaceGoesOn(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, quickChecks)
	seed(t, c, 0, 1<<40)
	leader := c.Leader()
	var s spending
	stop := make(chan struct{})
	running := s.run(nodesOf(c), 6, 1<<30, stop)
	c.Fill(leader, true)
	require.Eventually(t, func() bool { return !c.Nodes[leader].Leads() && c.Leader() != leader }, 20*time.Second, time.Millisecond)
	before := s.charged.Load()
	require.Eventually(t, func() bool { return s.charged.Load() > before+100 }, 20*time.Second, time.Millisecond)
	close(stop)
	running.Wait()
	require.Zero(t, s.notExecuted.Load())
	require.Zero(t, s.unknown.Load())

	second := c.Leader()
	c.Fill(second, true)
	third := 3 - leader - second
	for i := range c.Nodes {
		awaitDiskFull(t, c, i)
	}
	// The second may hand leadership over meanwhile, and a new leader charges until it has heard of both disks.
	require.Eventually(t, func() bool {
		_, err := charge(c, third)
		return err != nil && strings.Contains(err.Error(), c.Nodes[leader].ID()) && strings.Contains(err.Error(), c.Nodes[second].ID())
	}, 20*time.Second, time.Millisecond)
	left := remaining(t, c, third)

	c.Fill(leader, false)
	require.Eventually(t, func() bool { _, err := charge(c, third); return err == nil }, 20*time.Second, time.Millisecond)
	require.Less(t, remaining(t, c, third), left)
	c.WaitSameDigest()
}

// metaOf replaces the meta of the identity that seed creates: an entry of so many bytes that leaves the ledger as large as it was.
func metaOf(size, n int) *fsm.UpdateIdentity {
	return &fsm.UpdateIdentity{Identity: "alice", Meta: fsm.Set(fmt.Sprintf(`{"%d":"%s"}`, n, strings.Repeat("x", size-20)))}
}

// The log is bounded by bytes as well as by entries: a few hundred large requests must not fill the disk.
func TestDisk_TheLogIsBoundedByBytes(t *testing.T) {
	const limit = 16 << 20 // more than the snapshot has
	c := clustertest.New(t, 1, func(conf *cluster.Config) {
		conf.SnapshotBytes, conf.CompactionInterval = limit, 10*time.Millisecond
	})
	seed(t, c, 0, 5)
	for n := range 80 {
		require.IsType(t, &fsm.Identity{}, c.Do(0, metaOf(1<<20, n)))
		if n%20 < 19 {
			continue
		}
		require.Eventually(t, func() bool {
			total, since := c.LogSize(0)
			return since <= limit && total <= 2*limit+1<<20
		}, 20*time.Second, time.Millisecond)
	}
	require.NotZero(t, c.Snapshots(0))
	require.Less(t, c.Snapshots(0), uint64(8), "one for each limit's worth of log")
}

// A log that takes long to apply again calls for a snapshot long before it is large. A restart applies what is behind the snapshot.
func TestDisk_TheLogIsBoundedByTheTimeToApplyItAgain(t *testing.T) {
	const limit = 100 * time.Millisecond
	c := clustertest.New(t, 1, func(conf *cluster.Config) {
		conf.SnapshotReplay, conf.CompactionInterval, conf.SnapshotBytes = limit, time.Millisecond, 1<<30
	})
	seed(t, c, 0, 5)
	for n := 0; c.Snapshots(0) == 0; n++ {
		require.IsType(t, &fsm.Identity{}, c.Do(0, metaOf(1<<20, n)))
		_, since := c.LogSize(0)
		require.Less(t, since, uint64(1<<29), "the size of the log does not call for one yet")
	}
	require.Eventually(t, func() bool {
		return metricOf(t, c, "creditd_ledger_replay_seconds") < metricOf(t, c, "creditd_ledger_replay_seconds_limit")
	}, 20*time.Second, time.Millisecond)
	c.Do(0, metaOf(1<<20, 1000))
	require.NotZero(t, metricOf(t, c, "creditd_ledger_replay_seconds"))
	c.StopAbruptly(0)
	c.Start(0)
	c.WaitReady()
	require.NotZero(t, metricOf(t, c, "creditd_ledger_replay_seconds"), "the last entry was applied again")
}

// A disk that the log has filled recovers by itself, long before the log has the entries that call for a snapshot. What was refused meanwhile
// was not executed.
func TestDisk_FullOfLogRecoversByItself(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 1, func(conf *cluster.Config) {
		quickChecks(conf)
		conf.CompactionInterval = 10 * time.Millisecond
	})
	seed(t, c, 0, 5)
	for n := range 64 {
		c.Do(0, metaOf(128<<10, n))
	}
	require.Zero(t, c.Snapshots(0))
	c.Fill(0, true) // from now on there is only what the log gives back
	refused := 0
	for n := 64; c.Snapshots(0) == 0 || refused == 0; n++ {
		require.Less(t, n, 400)
		require.Eventually(t, func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			r, _, err := c.Nodes[0].Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: metaOf(128<<10, n)})
			if err != nil {
				require.Equal(t, fault.DiskFull, fault.KindOf(err))
				refused++
				return false
			}
			require.IsType(t, &fsm.Identity{}, r)
			return true
		}, 30*time.Second, 5*time.Millisecond)
	}
	total, _ := c.LogSize(0)
	require.Less(t, total, uint64(6<<20), "it had 8 MiB")
	require.EqualValues(t, 5, remaining(t, c, 0))
}
