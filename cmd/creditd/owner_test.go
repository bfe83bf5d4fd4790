package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// An operator is root when a node is in need, and the node runs as a user of its own. Whatever a command leaves in the data directory belongs to
// that user: else the node would not start.
func TestOffline_RootLeavesTheDirectoryToItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can do work for another user")
	}
	t.Parallel()
	const nobody = 65534
	dir := t.TempDir()
	for path := dir; path != "/"; path = filepath.Dir(path) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o001 == 0 {
			require.NoError(t, os.Chmod(path, 0o755))
		}
	}
	data, backup, restored := filepath.Join(dir, "data"), filepath.Join(dir, "backup"), filepath.Join(dir, "restored")
	p, c := startMember(t, alone(t, data)...)
	env := grantBackup(t, map[string]string{"CREDITD_ADDR": c.Node(), "CREDITD_ROOT_KEY": testRootKey})
	code, _, stderr := outputOf(env, "snapshot", "save", backup)
	require.Equal(t, exitDone, code, stderr)
	p.terminate()
	require.NoError(t, os.Mkdir(restored, 0o700))
	give := func(dir string) {
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			require.NoError(t, err)
			return os.Chown(path, nobody, nobody)
		}))
	}
	give(data)
	give(restored)

	for _, args := range [][]string{
		{"rootkey", "reset", "--data-dir", data},
		{"recover", "--data-dir", data, "--look"},
		{"snapshot", "restore", backup, "--data-dir", restored}, // nobody can read the backup: root opened it
	} {
		p, code := runs(t, nil, args...)
		require.Equal(t, exitDone, code, p.stderr.String())
	}
	require.FileExists(t, filepath.Join(data, "rootkey-reset.json"))
	require.FileExists(t, filepath.Join(restored, "state.db"))
	for _, dir := range []string{data, restored} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := entry.Info()
			require.NoError(t, err)
			require.EqualValues(t, nobody, info.Sys().(*syscall.Stat_t).Uid, path)
			return nil
		}))
	}
	checked, code := runs(t, nil, append([]string{"config", "check"}, alone(t, data)[1:]...)...)
	require.Equal(t, exitDone, code, checked.stderr.String())
	require.Contains(t, checked.stderr.String(), "root runs this node")
}
