package cluster_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

const year = 365 * 24 * time.Hour

// withClocks starts nodes whose clocks the test moves, and an identity that has spent the credits of one day.
func withClocks(t *testing.T, nodes int) (*clustertest.Cluster, []*clustertest.Clock) {
	t.Helper()
	clocks := clustertest.NewClocks(nodes)
	set := clustertest.EachItsOwn(clocks)
	c := clustertest.New(t, nodes, func(conf *cluster.Config) {
		set(conf)
		conf.ClockInterval = 50 * time.Millisecond
	})
	seed(t, c, 0, 100)
	require.IsType(t, &fsm.Identity{}, c.Do(0, &fsm.UpdateIdentity{Identity: "alice", Credits: fsm.CreditsChange{
		Remaining: fsm.Set[int64](10), Refill: fsm.Set(fsm.Refill{Interval: fsm.Daily, Amount: 10}),
	}}))
	spendDay(t, c, 0)
	require.Equal(t, fsm.Valid, inWindow(c, 0))
	return c, clocks
}

func outcome(c *clustertest.Cluster, at int) fsm.VerdictCode {
	return c.Do(at, &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}).(*fsm.Verdict).Code
}

// spendDay requires that exactly one refill of the day happened.
func spendDay(t *testing.T, c *clustertest.Cluster, at int) {
	t.Helper()
	for range 10 {
		require.Equal(t, fsm.Valid, outcome(c, at))
	}
	require.Equal(t, fsm.UsageExceeded, outcome(c, at))
}

// inWindow takes the only request of a day-long window, which ends at midnight.
func inWindow(c *clustertest.Cluster, at int) fsm.VerdictCode {
	return c.Do(at, &fsm.VerifyKey{Hash: fsm.Hash{2}, Ratelimits: []fsm.RatelimitCheck{
		{Name: "daily", Cost: 1, AdHoc: true, Limit: 1, Duration: (24 * time.Hour).Milliseconds()},
	}}).(*fsm.Verdict).Code
}

// requireNoTimePassed: nothing is refilled and no window has ended.
func requireNoTimePassed(t *testing.T, c *clustertest.Cluster, at int) {
	t.Helper()
	require.Equal(t, fsm.UsageExceeded, outcome(c, at))
	require.Equal(t, fsm.RateLimited, inWindow(c, at))
}

var disturbances = []struct {
	name string
	do   func(*clustertest.Clock)
}{
	{"an hour ahead", func(c *clustertest.Clock) { c.Jump(time.Hour) }},
	{"a year ahead", func(c *clustertest.Clock) { c.Jump(year) }},
	{"an hour back", func(c *clustertest.Clock) { c.Jump(-time.Hour) }},
	{"a year back", func(c *clustertest.Clock) { c.Jump(-year) }},
	{"frozen", (*clustertest.Clock).Freeze},
}

// A jump of the leader's clock must not refill early or twice, end a window, or lose the refill that is due. The node does not lead
// until its clock is right.
func TestClock_ALeaderWhoseClockJumpsHandsOver(t *testing.T) {
	t.Parallel()
	c, clocks := withClocks(t, 3)
	for _, d := range disturbances {
		leader := c.Leader()
		d.do(clocks[leader])
		requireNoTimePassed(t, c, leader)
		require.Eventually(t, func() bool { return !c.Nodes[leader].Leads() && c.Leader() != leader }, 20*time.Second, time.Millisecond, d.name)
		require.True(t, c.Nodes[leader].Clock().WallOff, d.name)
		requireNoTimePassed(t, c, leader)

		// Sent back on purpose, leadership does not stay.
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		_ = c.Nodes[leader].TransferLeadership(ctx, c.Nodes[leader].ID()) // it may come and go before anyone sees it
		cancel()
		require.Eventually(t, func() bool { return !c.Nodes[leader].Leads() && c.Leader() != leader }, 20*time.Second, time.Millisecond, d.name)
		requireNoTimePassed(t, c, leader)

		clocks[leader].Jump(0)
		require.Eventually(t, func() bool { return c.Nodes[leader].Clock().Fit() }, 20*time.Second, time.Millisecond, d.name)
		c.WaitSameDigest()
	}
	for _, clock := range clocks {
		clock.Advance(24 * time.Hour)
	}
	spendDay(t, c, c.Follower())
	require.Equal(t, fsm.Valid, inWindow(c, c.Follower()))
}

// A single node has no peers to ask: its time goes on at its own pace, and a day later the refill is due.
func TestClock_ASingleNodeGoesOnWithoutItsWallClock(t *testing.T) {
	t.Parallel()
	for _, d := range disturbances {
		c, clocks := withClocks(t, 1)
		d.do(clocks[0])
		requireNoTimePassed(t, c, 0)
		require.Eventually(t, func() bool { return c.Nodes[0].Clock().WallOff }, 20*time.Second, time.Millisecond, d.name)
		requireNoTimePassed(t, c, 0)
		clocks[0].Advance(24 * time.Hour)
		spendDay(t, c, 0)
	}
}

// A wrong time that reaches all machines at once moves none of them and does not stop the cluster.
func TestClock_AllJumpTogether(t *testing.T) {
	t.Parallel()
	c, clocks := withClocks(t, 3)
	for _, clock := range clocks {
		clock.Jump(year)
	}
	require.Eventually(t, func() bool {
		off := 0
		for _, n := range c.Nodes {
			if n.Clock().WallOff {
				off++
			}
		}
		return off == 3
	}, 20*time.Second, time.Millisecond)
	for i := range c.Nodes {
		requireNoTimePassed(t, c, i)
	}
}

// A node that starts with a wrong clock has no memory of the right one. After its election it serves nothing and transfers leadership.
func TestClock_ANodeThatStartsWithAWrongClockDoesNotLead(t *testing.T) {
	c, clocks := withClocks(t, 3)
	for _, jump := range []time.Duration{year, -year} {
		wrong := c.Follower()
		c.Stop(wrong)
		clocks[wrong].Jump(jump)
		c.Start(wrong)
		c.WaitReady()
		require.Eventually(t, func() bool { return c.Nodes[wrong].Clock().Far }, 20*time.Second, time.Millisecond)
		for range 3 {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			_ = c.Nodes[wrong].TransferLeadership(ctx, c.Nodes[wrong].ID())
			cancel()
			requireNoTimePassed(t, c, wrong)
			require.False(t, c.Nodes[wrong].Leads())
		}
		// Set right it takes the time over, since its peers confirm it.
		clocks[wrong].Jump(0)
		require.Eventually(t, func() bool { return c.Nodes[wrong].Clock().Fit() }, 20*time.Second, time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		require.NoError(t, c.Nodes[wrong].TransferLeadership(ctx, c.Nodes[wrong].ID()))
		cancel()
		require.Eventually(t, c.Nodes[wrong].Leads, 20*time.Second, time.Millisecond)
		requireNoTimePassed(t, c, wrong)
	}
}

// A node that ran an hour ahead left log time there. With its clock right again log time stands still for that hour, and the node says so,
// once, and once when it is over. What is answered as ended is over all the same: contract D-26.
func TestClock_SaysThatLogTimeStandsStill(t *testing.T) {
	t.Parallel()
	clock := clustertest.NewClock()
	log := &lockedBuffer{}
	c := clustertest.New(t, 1, func(conf *cluster.Config) {
		clock.Set(conf)
		conf.ClockInterval = 5 * time.Millisecond
		conf.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	seed(t, c, 0, 100)
	restart := func(jump time.Duration) {
		c.Stop(0)
		clock.Jump(jump)
		c.Start(0)
		c.WaitReady()
	}
	restart(time.Hour)
	require.Equal(t, fsm.Valid, outcome(c, 0))
	require.NotContains(t, log.String(), "log time stands still")
	restart(0)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "log time stands still") }, 20*time.Second, time.Millisecond)
	require.Contains(t, log.String(), "behind_by=59m5")
	ahead := func() float64 { return metricOf(t, c, "creditd_clock_log_time_ahead_seconds") }
	require.InDelta(t, 3600, ahead(), 60)
	require.Eventually(t, func() bool {
		status, err := c.Nodes[0].Status(t.Context())
		return err == nil && status.LedgerVersion == fsm.NewestLedgerVersion
	}, 20*time.Second, time.Millisecond)
	require.IsType(t, &fsm.Rerolled{}, c.Do(0, &fsm.RerollKey{KeyID: "key_a", NewID: "key_9", Hash: fsm.Hash{9}}))
	require.Equal(t, fsm.Expired, outcome(c, 0))

	clock.Advance(2 * time.Hour)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "log time goes on") }, 20*time.Second, time.Millisecond)
	require.Zero(t, ahead())
	require.Equal(t, 1, strings.Count(log.String(), "log time stands still"))
}

// metricOf returns a metric of the first node.
func metricOf(t *testing.T, c *clustertest.Cluster, name string) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c.Nodes[0].Collector()))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	require.Fail(t, "there is no metric "+name)
	return 0
}

// lockedBuffer is a log that a test reads while nodes write it.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
