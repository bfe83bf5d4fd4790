package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

// grantBackup makes a root key that may back up.
func grantBackup(t testing.TB, env map[string]string) (withKey map[string]string) {
	t.Helper()
	code, stdout, stderr := outputOf(env, "rootkey", "create", "--name", "backup", "--permission", "backup.*.read", "-o", "json")
	require.Equal(t, exitDone, code, stderr)
	return map[string]string{"CREDITD_ADDR": env["CREDITD_ADDR"], "CREDITD_ROOT_KEY": asJSON[object](t, stdout)["key"].(string)}
}

// A backup is taken from a running cluster, checked, and becomes a cluster that others join.
func TestSnapshot_SaveAndRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, c := startMember(t, alone(t, filepath.Join(dir, "old"))...)
	key := addCustomer(t, c, "alice", 100)
	must[object](t, c, "keys.verifyKey", object{"key": key, "credits": object{"cost": 30}})
	env := map[string]string{"CREDITD_ADDR": c.Node(), "CREDITD_ROOT_KEY": testRootKey}
	file := filepath.Join(dir, "backup")
	code, _, stderr := outputOf(env, "snapshot", "save", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "backup.*.read")
	require.NoFileExists(t, file)
	require.NoFileExists(t, file+".part")
	env = grantBackup(t, env)
	code, stdout, stderr := outputOf(env, "snapshot", "save", file)
	require.Equal(t, exitDone, code, stderr)
	require.Regexp(t, `saved +`+file+`\nindex +\d+\nbytes +\d+\nsha256 +[0-9a-f]{64}\n`, stdout)
	must[object](t, c, "keys.verifyKey", object{"key": key, "credits": object{"cost": 30}})
	require.EqualValues(t, 40, balance(t, c, "alice"))

	code, stdout, stderr = outputOf(nil, "snapshot", "verify", file, "-o", "json")
	require.Equal(t, exitDone, code, stderr)
	shown := asJSON[snapshotShown](t, stdout)
	require.True(t, shown.Verified)
	require.Equal(t, must[api.Status](t, c, "cluster.getStatus", object{}).ClusterID, shown.ClusterID)
	require.Equal(t, "1", shown.Generation)
	require.Equal(t, 1, shown.Counts["identities"])
	require.Equal(t, 1, shown.Counts["identityBalances"])
	code, stdout, stderr = outputOf(nil, "snapshot", "inspect", file)
	require.Equal(t, exitDone, code, stderr)
	require.Regexp(t, `(?m)^takes +a build that reads ledger version \d+, such as creditd v1\.2\.3-test$`, stdout)
	require.Regexp(t, `(?m)^  identities +1$`, stdout)
	p.terminate()

	code, _, stderr = outputOf(nil, "snapshot", "restore", file, "--data-dir", filepath.Join(dir, "old"))
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "is not empty")
	fresh := filepath.Join(dir, "new")
	code, stdout, stderr = outputOf(nil, "snapshot", "restore", file, "--data-dir", fresh)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "generation 1")

	// Charges made after the backup are gone; the rest is as it was.
	args := alone(t, fresh)
	_, c = startMember(t, args...)
	require.EqualValues(t, 70, balance(t, c, "alice"))
	status := must[api.Status](t, c, "cluster.getStatus", object{})
	require.NotEqual(t, shown.ClusterID, status.ClusterID)
	must[object](t, c, "keys.verifyKey", object{"key": key, "credits": object{"cost": 1}})
	joining := []string{"server", "--data-dir", filepath.Join(dir, "joins"), "--bootstrap-expect", "3", "--join", args[10], "--http-addr", "127.0.0.1:0",
		"--peer-addr", freeAddress(t), "--gossip-addr", freeAddress(t), "--heartbeat-timeout", "200ms", "--election-timeout", "200ms"}
	require.Equal(t, "--gossip-addr", args[9])
	_, c = startMember(t, joining...)
	require.EqualValues(t, 69, balance(t, c, "alice"))
}

// A damaged backup is refused by every command, with what is wrong.
func TestSnapshot_DamageIsRefused(t *testing.T) {
	t.Parallel()
	_, c := startMember(t, alone(t, t.TempDir())...)
	env := grantBackup(t, map[string]string{"CREDITD_ADDR": c.Node(), "CREDITD_ROOT_KEY": testRootKey})
	file := filepath.Join(t.TempDir(), "backup")
	code, _, stderr := outputOf(env, "snapshot", "save", file)
	require.Equal(t, exitDone, code, stderr)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	for says, bad := range map[string][]byte{
		"is not whole": whole[:len(whole)-40], "no snapshot of creditd": []byte(strings.Repeat("x", 100)), "is damaged: its SHA-256 is": append(whole[:len(whole)-1:len(whole)-1], whole[len(whole)-1]^1),
	} {
		require.NoError(t, os.WriteFile(file, bad, 0o600))
		for _, args := range [][]string{{"inspect", file}, {"verify", file}, {"restore", file, "--data-dir", filepath.Join(t.TempDir(), "x")}} {
			code, _, stderr := outputOf(nil, append([]string{"snapshot"}, args...)...)
			require.Equal(t, exitFailed, code, args)
			require.Contains(t, stderr, says, args)
		}
	}
}
