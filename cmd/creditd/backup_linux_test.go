package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

// mountSmall mounts a file system of a few pages, or skips the test.
func mountSmall(t *testing.T) (dir string, remount func(flags uintptr)) {
	t.Helper()
	dir = t.TempDir()
	mount := func(flags uintptr) error {
		return syscall.Mount("backups", dir, "tmpfs", flags, "size=64k,mode=700")
	}
	if err := mount(0); err != nil {
		t.Skip("no file system can be mounted here: ", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir, func(flags uintptr) { t.Helper(); require.NoError(t, mount(flags|syscall.MS_REMOUNT)) }
}

// TestBackups_AFailureIsLoud: a directory that is full or cannot be written is in the log once, in the metrics and in the status. Requests go on,
// nothing half is left, and once there is room a backup is made.
func TestBackups_AFailureIsLoud(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says      string
		spoil     func(t *testing.T, dir string, remount func(uintptr))
		remaining int // files in the directory that are none of the node
	}{
		"full": {"no space left on device", func(t *testing.T, dir string, _ func(uintptr)) {
			filler := make([]byte, 128<<10)
			require.ErrorIs(t, os.WriteFile(filepath.Join(dir, "filler"), filler, 0o600), syscall.ENOSPC)
		}, 1},
		"read-only": {"read-only file system", func(t *testing.T, _ string, remount func(uintptr)) { remount(syscall.MS_RDONLY) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, remount := mountSmall(t)
			c.spoil(t, dir, remount)
			args := alone(t, t.TempDir(), "--backup-dir", dir)
			p, client := startMember(t, args...)
			p.await(p.stderr, `level=ERROR msg="backups fail" .*err="?[^\n]*`+c.says)
			key := addCustomer(t, client, "alice", 100)
			must[object](t, client, "keys.verifyKey", object{"key": key})

			status := must[api.Status](t, client, "cluster.getStatus", object{})
			require.Contains(t, status.Nodes[0].Backup.Failure, c.says)
			require.Zero(t, status.Nodes[0].Backup.LastAt)
			metrics := metricsOf(t, client)
			require.Contains(t, metrics, "\ncreditd_backup_failures_total 1\n")
			require.Contains(t, metrics, "\ncreditd_backup_last_success_timestamp_seconds 0\n")
			shown, code := runs(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_ADDR=" + client.Node()}, "cluster", "status")
			require.Equal(t, exitDone, code)
			require.Regexp(t, `backup +none yet, FAILING: .*`+c.says, shown.stdout.String())
			require.Equal(t, 1, strings.Count(p.stderr.String(), "backups fail"))
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, left, c.remaining)
			p.terminate()

			remount(0)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "filler")))
			p, client = startMember(t, args...)
			p.await(p.stderr, `msg="backup made"`)
			await(t, func() bool {
				backup := must[api.Status](t, client, "cluster.getStatus", object{}).Nodes[0].Backup
				return backup.Failure == "" && backup.LastAt > 0
			})
			p.terminate()
		})
	}
}
