package main

import (
	"os"
	"path/filepath"
	"strings"
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

// backups lists the backups in a directory.
func backups(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "creditd-*.snapshot"))
	require.NoError(t, err)
	return files
}

// TestBackups_TheNextLeaderGoesOn: a leader that shares the directory makes none twice and skips none, whether it was given leadership or took it.
func TestBackups_TheNextLeaderGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startTrio(t, "--backup-dir", dir, "--backup-interval", "1h", "--backup-keep", "2")
	addCustomer(t, c.client(0), "alice", 100)
	leads := func() int {
		leader := -1
		await(t, func() bool {
			for i, p := range c.nodes {
				var status api.Status
				if !p.Running() || c.client(i).Call(t.Context(), "cluster.getStatus", object{}, &status).Err != nil {
					continue
				}
				for j := range c.nodes {
					if c.id(j) == status.LeaderID && c.nodes[j].Running() {
						leader = j
						return true
					}
				}
			}
			return false
		})
		return leader
	}
	await(t, func() bool { return len(backups(t, dir)) == 1 })
	first := leads()
	next := (first + 1) % 3
	must[object](t, c.client(first), "cluster.transferLeadership", object{"nodeId": c.id(next)})
	c.awaitStatus(next, func(nodes map[string]api.NodeStatus) bool {
		n := nodes[c.id(next)]
		return n.Role == "leader" && n.Backup != nil && n.Backup.LastAt > 0
	})
	require.Len(t, backups(t, dir), 1, "a change of the leader doubled a backup")

	// age makes the newest backup two hours old: its name is all that nodes go by.
	age := func() {
		files := backups(t, dir)
		newest := files[len(files)-1]
		moment := newest[len(newest)-len("20060102T150405Z.snapshot"):]
		old := time.Now().Add(-2 * time.Hour).UTC().Format("20060102T150405Z.snapshot")
		require.NoError(t, os.Rename(newest, strings.TrimSuffix(newest, moment)+old))
	}
	made := func(i int) int { return strings.Count(c.nodes[i].stderr.String(), `msg="backup made"`) }
	before := made(next)
	age()
	await(t, func() bool { return len(backups(t, dir)) == 2 && made(next) == before+1 })

	age()
	c.nodes[next].Kill()
	last := leads()
	require.NotEqual(t, next, last)
	before = made(last)
	await(t, func() bool { return made(last) == before+1 })
	await(t, func() bool { return len(backups(t, dir)) == 2 }) // --backup-keep
	for _, file := range backups(t, dir) {
		said, code := runs(t, nil, "snapshot", "verify", file)
		require.Equal(t, exitDone, code, said.stderr)
	}
	parts, err := filepath.Glob(filepath.Join(dir, ".creditd-*"))
	require.NoError(t, err)
	require.Empty(t, parts)
}
