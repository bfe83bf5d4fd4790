package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/secret"
	"github.com/creditd/creditd/scripts/launch"
)

// The gossip key is replaced as docs/operating.md says, in three steps over all nodes. No node loses sight of another one; a node that is
// restarted in the middle finds the others again.
func TestGossipKeys_AreReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "gossip.key"), secret.New()+"\n")
	handbookScript(t, "### With the file alone", dir)
	one, two := content(t, dir, "gossip.key"), content(t, dir, "gossip.new")
	gossips := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	var peers, files []string
	for i := range 3 {
		peers, files = append(peers, freeAddress(t)), append(files, filepath.Join(dir, fmt.Sprintf("node%d.key", i)))
		write(t, files[i], one)
	}
	member := func(i int) *process {
		return start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_CLUSTER_SECRET=" + launch.ClusterSecret}, "server",
			"--data-dir", filepath.Join(dir, fmt.Sprint(i)), "--bootstrap-expect", "3", "--join", strings.Join(gossips, ","),
			"--http-addr", "127.0.0.1:0", "--peer-addr", peers[i], "--gossip-addr", gossips[i], "--gossip-key-file", files[i])
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
	ids := gossip.KeyIDs([][]byte{decoded(t, one), decoded(t, two)})
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

// The key is replaced by commands, through one node each. What a node has kept is there after a restart; nothing shows a key.
func TestGossipKeys_AreReplacedByCommands(t *testing.T) {
	t.Parallel()
	secretFile := filepath.Join(t.TempDir(), "cluster.secret")
	write(t, secretFile, secret.New())
	c := startTrio(t, "--cluster-secret-file", secretFile)
	said := func(code int, node int, args ...string) string {
		t.Helper()
		p, got := c.ask(c.addr(node), append([]string{"gossip", "key"}, args...)...)
		require.Equal(t, code, got, p.stderr)
		return p.stdout.String() + p.stderr.String()
	}
	rows := func(node int) (ids []string) {
		for _, row := range regexp.MustCompile(`(?m)^([0-9a-f]{8}) +3 of 3 `).FindAllStringSubmatch(said(exitDone, node, "list"), -1) {
			ids = append(ids, row[1])
		}
		return ids
	}
	old := rows(0)
	require.Len(t, old, 1)
	made := regexp.MustCompile(`key  (\S+)`).FindStringSubmatch(said(exitDone, 0, "add"))[1]
	require.ElementsMatch(t, []string{old[0], made}, rows(1))
	require.Contains(t, said(exitFailed, 1, "remove", old[0]), "encrypts with the gossip key "+old[0])
	require.Contains(t, said(exitDone, 1, "use", made), "done")
	require.Contains(t, said(exitDone, 2, "use", made), "had been done")
	said(exitDone, 2, "remove", old[0])
	require.Contains(t, said(exitFailed, 2, "use", old[0]), "no node that answers has the gossip key")

	dir := t.TempDir()
	handbookScript(t, "## Gossip keys", dir, "OLD="+made, "CREDITD_ADDR="+c.addr(0), "CREDITD_ROOT_KEY="+testRootKey)
	given := content(t, dir, "gossip.new")
	added := gossip.KeyID(decoded(t, given))
	require.Equal(t, []string{added}, rows(1))

	c.nodes[1].terminate()
	require.Contains(t, said(exitFailed, 0, "add", added), "1 of 3 nodes did nothing: "+c.id(1)+" (")
	require.Contains(t, said(exitFailed, 0, "use", added), "Nothing was changed: what these nodes have is not known: "+c.id(1))
	said(exitFailed, 0, "use", added, "--force") // it names the node, again
	require.Contains(t, said(exitFailed, 0, "list"), c.id(1))
	c.start(1)
	c.nodes[1].await(c.nodes[1].stderr, `msg=ready`)
	require.Contains(t, c.nodes[1].stderr.String(), "gossip keys come from the data directory")
	await(t, func() bool { return alive(t, c.nodes[1].client(testRootKey)) == 3 })
	list := must[gossipKeysAnswer](t, c.nodes[1].client(testRootKey), "cluster.getGossipKeys", object{})
	for _, n := range list.Nodes {
		require.Equal(t, []string{added}, n.Keys)
		require.Equal(t, old, n.Settings)
	}
	c.stop()
	for _, p := range c.nodes {
		require.NotContains(t, p.stderr.String(), given)
	}
}

// A key that an operator gives goes to no other machine without TLS, and an id is no key.
func TestGossipKeys_CommandsRefuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new.key")
	write(t, file, secret.New())
	env := map[string]string{"CREDITD_ROOT_KEY": testRootKey}
	for says, args := range map[string][]string{
		"would travel in the clear":  {"add", "--new-key-file", file, "--addr", "10.0.0.1:7070"},
		"use one of the two":         {"add", "0a1b2c3d", "--new-key-file", file},
		"does not hold 32 bytes":     {"add", "--new-key-file", writeTemp(t, "abc")},
		"one can be added at a time": {"add", "--new-key-file", writeTemp(t, secret.New()+"\n"+secret.New())},
		"the argument ID is missing": {"use"},
	} {
		code, _, stderr := outputOf(env, append([]string{"gossip", "key"}, args...)...)
		require.Equal(t, exitUsage, code, says)
		require.Contains(t, stderr, says)
	}
}

func writeTemp(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, text)
	return path
}
