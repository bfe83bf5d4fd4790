package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cluster/secret"
	"github.com/creditd/creditd/scripts/launch"
)

// The gossip key is replaced as docs/operating.md says, in three steps over all nodes. No node loses sight of another one; a node that is
// restarted in the middle finds the others again.
func TestGossipKeys_AreReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "gossip.key"), secret.New()+"\n")
	handbookScript(t, "## Gossip keys", dir)
	one, two := content(t, dir, "gossip.key"), content(t, dir, "gossip.new")
	gossip := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	var peers, files []string
	for i := range 3 {
		peers, files = append(peers, freeAddress(t)), append(files, filepath.Join(dir, fmt.Sprintf("node%d.key", i)))
		write(t, files[i], one)
	}
	member := func(i int) *process {
		return start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_CLUSTER_SECRET=" + launch.ClusterSecret}, "server",
			"--data-dir", filepath.Join(dir, fmt.Sprint(i)), "--bootstrap-expect", "3", "--join", strings.Join(gossip, ","),
			"--http-addr", "127.0.0.1:0", "--peer-addr", peers[i], "--gossip-addr", gossip[i], "--gossip-key-file", files[i])
	}
	var nodes []*process
	for i := range 3 {
		nodes = append(nodes, member(i))
	}
	for _, p := range nodes {
		p.await(p.stderr, `msg=ready`)
	}
	everybodySees := func() {
		for _, p := range nodes {
			c := p.client(testRootKey)
			await(t, func() bool { return alive(t, c) == 3 })
		}
	}
	everybodySees()
	loaded := func(p *process, keys string) {
		p.signal(syscall.SIGHUP)
		p.await(p.stderr, `msg="gossip keys loaded: the first encrypts, each decrypts" keys="?\[?`+keys)
	}
	ids := keyIDs([][]byte{decoded(t, one), decoded(t, two)})
	for step, name := range []string{"1.key", "2.key", "3.key"} {
		keys := [][]string{{ids[0], ids[1]}, {ids[1], ids[0]}, {ids[1]}}[step]
		for i, p := range nodes {
			write(t, files[i], content(t, dir, name))
			loaded(p, strings.Join(keys, " ")+`\]`)
		}
		if step == 1 {
			nodes[2].terminate()
			nodes[2] = member(2)
			nodes[2].await(nodes[2].stderr, `msg=ready`)
		}
		everybodySees()
	}
	for _, p := range nodes {
		require.NotContains(t, p.stderr.String(), "cannot be used")
	}
	write(t, files[0], "nonsense")
	nodes[0].signal(syscall.SIGHUP)
	nodes[0].await(nodes[0].stderr, `level=ERROR msg="--gossip-key-file was changed and cannot be used`)
	everybodySees()
	for _, p := range nodes {
		p.signal(syscall.SIGTERM)
	}
	for _, p := range nodes {
		require.Equal(t, exitDone, p.wait())
	}
}

func content(t testing.TB, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(text)
}

func decoded(t *testing.T, key string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	write(t, path, key)
	keys, err := readGossipKeys(path)
	require.NoError(t, err)
	return keys[0]
}

// alive counts the nodes that a node sees.
func alive(t *testing.T, c *client.Client) (n int) {
	t.Helper()
	for _, node := range must[api.Status](t, c, "cluster.getStatus", object{}).Nodes {
		if node.Health == "alive" {
			n++
		}
	}
	return n
}
