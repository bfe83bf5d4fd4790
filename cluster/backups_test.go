package cluster_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
)

// TestBackups_AreMadeByTheLeader: of three nodes that share a directory one makes a backup, which a node could start with, and all tell of it.
func TestBackups_AreMadeByTheLeader(t *testing.T) {
	dir := t.TempDir()
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		conf.Backups = backup.Schedule{Dir: dir, Interval: time.Hour, Keep: 3}
	})
	leader, follower := c.Leader(), c.Follower()
	c.Do(follower, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "tests"})
	lead := c.Nodes[leader].Node
	require.Eventually(t, func() bool { return scrape(t, lead)["creditd_backup_last_success_timestamp_seconds"] > 0 }, 10*time.Second, 10*time.Millisecond)

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.True(t, strings.HasPrefix(entries[0].Name(), "creditd-cl_"), entries[0].Name())
	file, err := os.Open(filepath.Join(dir, entries[0].Name()))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	s, err := backup.Verify(file, replica.Reads("test"))
	require.NoError(t, err)
	require.Equal(t, lead.ID(), s.Header.NodeID)

	values := scrape(t, lead)
	info, err := file.Stat()
	require.NoError(t, err)
	require.EqualValues(t, info.Size(), values["creditd_backup_size_bytes"])
	require.Positive(t, values["creditd_backup_duration_seconds"])
	require.EqualValues(t, 3600, values["creditd_backup_interval_seconds"])
	require.Zero(t, values["creditd_backup_failures_total"])

	status, err := c.Nodes[follower].Status(t.Context())
	require.NoError(t, err)
	for _, n := range status.Nodes {
		if n.NodeID == lead.ID() {
			require.NotNil(t, n.Backup)
			require.Equal(t, s.Header.CreatedAt/1000, n.Backup.LastAt/1000)
			require.Empty(t, n.Backup.Failure)
		}
	}
}
