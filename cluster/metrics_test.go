package cluster_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// scrape returns what a node shows, by name and the value of its label; of a histogram the number of observations.
func scrape(t *testing.T, n *cluster.Node) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(n.Collector()))
	families, err := registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = valueOf(m)
		}
	}
	return values
}

func valueOf(m *dto.Metric) float64 {
	return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
}

// TestMetrics_ShowTheWayOfAnEntryAndThePeers: each stage is counted where it happens, and only the leader speaks of the others.
func TestMetrics_ShowTheWayOfAnEntryAndThePeers(t *testing.T) {
	c := clustertest.New(t, 3, eager)
	leader, follower := c.Leader(), c.Follower()
	before := scrape(t, c.Nodes[leader].Node)
	c.Do(follower, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "tests"})
	c.WaitSameDigest()
	led, followed := scrape(t, c.Nodes[leader].Node), scrape(t, c.Nodes[follower].Node)
	for _, stage := range []string{"queue", "fsync", "replication", "apply"} {
		name := "creditd_entry_stage_seconds " + stage
		require.Greater(t, led[name], before[name], name)
	}
	require.Greater(t, led["creditd_batch_entry_calls"], before["creditd_batch_entry_calls"])
	require.Zero(t, followed["creditd_entry_stage_seconds queue"])
	require.Zero(t, followed["creditd_entry_stage_seconds replication"])
	require.Positive(t, followed["creditd_entry_stage_seconds apply"])
	require.Equal(t, []float64{3, 3, 2}, []float64{followed["creditd_raft_voters"], followed["creditd_raft_voters_healthy"], followed["creditd_raft_voters_needed"]})
	require.Positive(t, followed["creditd_raft_leader_changes_total"])
	require.Zero(t, led["creditd_raft_last_contact_seconds"])
	require.Positive(t, followed["creditd_raft_last_contact_seconds"])

	peer := c.Nodes[follower].ID()
	require.NotContains(t, followed, "creditd_raft_peer_healthy "+peer)
	require.Eventually(t, func() bool {
		return scrape(t, c.Nodes[leader].Node)["creditd_raft_peer_healthy "+peer] == 1
	}, 30*time.Second, 10*time.Millisecond)
	require.Contains(t, scrape(t, c.Nodes[leader].Node), "creditd_raft_peer_lag_entries "+peer)
	c.StopAbruptly(follower)
	require.Eventually(t, func() bool {
		m := scrape(t, c.Nodes[leader].Node)
		return m["creditd_raft_peer_healthy "+peer] == 0 && m["creditd_raft_voters_healthy"] == 2
	}, 30*time.Second, 10*time.Millisecond)
}
