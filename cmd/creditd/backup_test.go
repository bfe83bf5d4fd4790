package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

func TestLastBackup_SaysAgeAndFailureOfTheLeader(t *testing.T) {
	now := time.UnixMilli(10_000_000)
	for want, backup := range map[string]*api.BackupStatus{
		"none: the leader has no --backup-dir": nil,
		"none yet":                             {},
		"1m30s old":                            {LastAt: now.UnixMilli() - 90_400},
		"0s old":                               {LastAt: now.UnixMilli() + 5000}, // the clock here is behind
		"2h old, FAILING: no space left":       {LastAt: now.UnixMilli() - 2*3600_000, Failure: "no space left"},
		"none yet, FAILING: no such directory": {Failure: "no such directory"},
	} {
		status := api.Status{LeaderID: "b", Nodes: []api.NodeStatus{
			{NodeID: "a", Role: "follower", Backup: &api.BackupStatus{LastAt: 1}}, {NodeID: "b", Role: "leader", Backup: backup},
		}}
		require.Equal(t, want, lastBackup(status, now))
		status.Nodes[1].Role = "unknown"
		require.Equal(t, "not known: the leader does not answer", lastBackup(status, now))
		status.LeaderID = ""
		require.Equal(t, "not known: the leader does not answer", lastBackup(status, now))
	}
}

// TestBackupDir_IsOutsideOfTheData: who loses the data directory needs the backups.
func TestBackupDir_IsOutsideOfTheData(t *testing.T) {
	dir := t.TempDir()
	require.True(t, isWithin(dir, dir))
	require.True(t, isWithin(filepath.Join(dir, "a", "..", "backups"), dir))
	require.False(t, isWithin(dir+"-backups", dir))
	require.False(t, isWithin(filepath.Dir(dir), dir))
}
