package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/secret"
	"github.com/creditd/creditd/scripts/launch"
)

// openBundle returns the files of an archive; profiles are unpacked.
func openBundle(t testing.TB, path string) map[string]string {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
	require.NoError(t, err)
	files := map[string]string{}
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		name := strings.TrimPrefix(header.Name, "creditd-debug/")
		if strings.HasSuffix(name, ".pprof") {
			profile, err := gzip.NewReader(bytes.NewReader(content))
			require.NoError(t, err, name)
			content, err = io.ReadAll(profile)
			require.NoError(t, err, name)
		}
		files[name] = string(content)
	}
}

// An archive has all that the command says, and no secret of the node, its clients or its cluster.
func TestDebugBundle_HasEverythingButSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gossipKey := secret.New()
	write(t, filepath.Join(dir, "gossip.key"), gossipKey+"\n")
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_CLUSTER_SECRET=" + launch.ClusterSecret},
		alone(t, filepath.Join(dir, "data"), "--admin-addr", "127.0.0.1:0", "--gossip-key-file", filepath.Join(dir, "gossip.key"), "--access-log", "--log-level", "debug")...)
	found := p.await(p.stderr, `msg=started .*http=(\S+) admin=(\S+)`)
	p.await(p.stderr, `msg=ready`)
	c := p.client(testRootKey)
	key := addCustomer(t, c, "alice", 100)
	must[object](t, c, "keys.verifyKey", object{"key": key})
	require.Equal(t, 401, p.client("root_a_wrong_key").Call(t.Context(), "keys.verifyKey", object{"key": key}, nil).Status)
	require.Error(t, c.Call(t.Context(), "keys.verifyKey", object{"key": key, "unknown": true}, nil).Err)
	p.await(p.stderr, `level=DEBUG msg="request refused"`)

	file := filepath.Join(dir, "bundle.tar.gz")
	write(t, file+".part", "of an interrupted run")
	code, stdout, stderr := outputOf(map[string]string{"CREDITD_ROOT_KEY": testRootKey}, "debug", "bundle", file, "--addr", found[1], "--admin", found[2], "--cpu", "1s")
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, file+"\n", stdout)
	require.Empty(t, stderr)
	files := openBundle(t, file)
	for name, has := range map[string]string{
		"status.json": `"clusterId"`, "status.txt": "leader ", "metrics-before.txt": "creditd_node_ready 1", "metrics-after.txt": "creditd_node_ready 1",
		"logs.txt": "msg=ready", "settings.yaml": "# root-key: set, not shown  # CREDITD_ROOT_KEY\n", "goroutines.txt": "goroutine profile: total", "heap.pprof": "inuse_space", "cpu.pprof": "nanoseconds",
	} {
		require.Contains(t, files[name], has, name)
	}
	require.Contains(t, files["logs.txt"], "request refused")
	require.NotContains(t, files["logs.txt"], "endpoint=keys.verifyKey status=200", "the access log would push out all else")
	require.Contains(t, files["settings.yaml"], "# cluster-secret: set, not shown")
	require.Len(t, files, 9)
	for name, content := range files {
		for what, hidden := range map[string]string{
			"root key": testRootKey, "cluster secret": launch.ClusterSecret, "gossip key": gossipKey, "key": key, "refused root key": "root_a_wrong_key",
		} {
			require.NotContains(t, content, hidden, "%s has the %s", name, what)
		}
	}
	p.terminate()
}

// What cannot be had is named; if nothing can be had, there is no archive.
func TestDebugBundle_NamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, c := startMember(t, alone(t, filepath.Join(dir, "data"))...)
	file := filepath.Join(dir, "bundle.tar.gz")
	env := map[string]string{"CREDITD_ROOT_KEY": testRootKey, "CREDITD_ADDR": c.Node()}
	code, _, stderr := outputOf(env, "debug", "bundle", file)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stderr, "cpu.pprof: no --admin was given")
	files := openBundle(t, file)
	require.Len(t, files, 3)
	require.Contains(t, files["errors.txt"], "logs.txt: no --admin was given\n")
	require.Contains(t, files["status.json"], `"clusterId"`)

	code, _, stderr = outputOf(env, "debug", "bundle", file, "--admin", c.Node())
	require.Equal(t, exitDone, code, stderr)
	require.Regexp(t, `(?m)^logs\.txt: GET http://\S+/debug/logs: 404 Not Found`, openBundle(t, file)["errors.txt"])
	p.terminate()

	none := filepath.Join(dir, "none.tar.gz")
	code, stdout, stderr := outputOf(env, "debug", "bundle", none, "--admin", c.Node())
	require.Equal(t, exitFailed, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "nothing could be had")
	require.Regexp(t, `(?m)^status\.json: .*is the node running`, stderr)
	require.NoFileExists(t, none)
	code, _, stderr = outputOf(env, "debug", "bundle", none, "--cpu", "61s")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--cpu: 1m1s is too long; at most 1m")
}
