package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

// TestMembership_OfNamesReadersAndDeadVoters: a fourth node joins with a vote, a fifth without. The dead fourth is removed because that is
// wanted; the next dead one is not, because three voters must be left.
func TestMembership_OfNamesReadersAndDeadVoters(t *testing.T) {
	t.Parallel()
	c := startTrio(t, "--remove-dead-voters", "1s")
	join := func(more ...string) *process {
		p, _ := startMember(t, append([]string{"server", "--data-dir", filepath.Join(t.TempDir(), "data"), "--join", c.gossip, "--log-store", "boltdb",
			"--http-addr", freeAddress(t), "--peer-addr", freeAddress(t), "--gossip-addr", freeAddress(t)}, more...)...)
		return p
	}
	reader := join("--non-voter", "--node-name", "reader")
	id := func(p *process) string { return p.await(p.stderr, `msg=started .*node=(\S+)`)[1] }
	key := addCustomer(t, reader.client(testRootKey), "customer", 10)
	require.Equal(t, 9.0, must[object](t, reader.client(testRootKey), "keys.verifyKey", object{"key": key})["credits"])

	fourth := join("--node-name", "fourth")
	c.awaitStatus(0, func(nodes map[string]api.NodeStatus) bool {
		r := nodes[id(reader)]
		return nodes[id(fourth)].Membership == "voter" && r.Membership == "non-voter" && r.Name == "reader" && r.Disk != nil && r.Clock.Fit
	})
	p, _ := c.ask(c.addr(0), "cluster", "status", "-o", "table")
	require.Regexp(t, `(?m)^`+id(reader)+` +reader +follower +non-voter +alive .* \d+ +\d+ +\d+ms +[\d.]+GiB +[+-]\d+ms `, p.stdout.String())

	fourth.Kill()
	c.awaitStatus(0, func(nodes map[string]api.NodeStatus) bool { return nodes[id(fourth)].Membership == "removed" })
	c.nodes[2].Kill()
	c.awaitStatus(0, func(nodes map[string]api.NodeStatus) bool { return nodes[c.id(2)].Health == "failed" })
	c.awaitStatus(0, func(nodes map[string]api.NodeStatus) bool { return nodes[c.id(2)].Membership == "voter" })
	c.nodes[0].terminate()
}

// TestStatus_WatchGoesOn: it shows the status again until it is told to end.
func TestStatus_WatchGoesOn(t *testing.T) {
	t.Parallel()
	_, node := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"))...)
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, "cluster", "status", "--addr", node.Node(), "--watch")
	p.await(p.stdout, `(?s)as seen  by .*as seen  by `)
	p.terminate()
}
