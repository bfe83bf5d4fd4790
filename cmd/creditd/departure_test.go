package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

// trio is three nodes that found one cluster.
type trio struct {
	t     testing.TB
	dirs  [3]string
	args  [3][]string
	nodes [3]*process

	gossip string // the addresses of all, for --join
	build  string // the binary of what is started from now on
}

func startTrio(t testing.TB, more ...string) *trio {
	t.Helper()
	return startTrioOf(t, binary, more...)
}

// startTrioOf starts a cluster of another build.
func startTrioOf(t testing.TB, build string, more ...string) *trio {
	t.Helper()
	c := &trio{t: t, build: build}
	gossip := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	c.gossip = strings.Join(gossip, ",")
	for i := range c.nodes {
		c.dirs[i] = filepath.Join(t.TempDir(), "data")
		c.args[i] = []string{"server", "--data-dir", c.dirs[i], "--bootstrap-expect", "3", "--join", strings.Join(gossip, ","),
			"--http-addr", freeAddress(t), "--peer-addr", freeAddress(t), "--gossip-addr", gossip[i], "--log-store", "boltdb",
			"--heartbeat-timeout", "300ms", "--election-timeout", "300ms"}
		c.args[i] = append(c.args[i], more...)
		c.start(i)
	}
	for _, p := range c.nodes {
		p.await(p.stderr, `msg=ready`)
	}
	return c
}

func (c *trio) start(i int, more ...string) {
	c.t.Helper()
	c.nodes[i] = startBinary(c.t, c.build, []string{"CREDITD_ROOT_KEY=" + testRootKey}, append(c.args[i], more...)...)
}

func (c *trio) stop() {
	c.t.Helper()
	for _, p := range c.nodes {
		p.signal(syscall.SIGTERM)
	}
	for _, p := range c.nodes {
		p.wait()
	}
}

func (c *trio) addr(i int) string { return c.args[i][7+1] }

// ask runs a command of an operator.
func (c *trio) ask(addr string, args ...string) (p *process, code int) {
	c.t.Helper()
	return runs(c.t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_ADDR=" + addr}, args...)
}

// id returns the node id of a process.
func (c *trio) id(i int) string {
	return c.nodes[i].await(c.nodes[i].stderr, `msg=started .*node=(\S+)`)[1]
}

// status asks a node until it says of the cluster what is expected.
func (c *trio) awaitStatus(i int, condition func(map[string]api.NodeStatus) bool) {
	c.t.Helper()
	client := c.nodes[i].client(testRootKey)
	await(c.t, func() bool {
		nodes := make(map[string]api.NodeStatus)
		for _, n := range must[api.Status](c.t, client, "cluster.getStatus", object{}).Nodes {
			nodes[n.NodeID] = n
		}
		return condition(nodes)
	})
}

// TestDeparture_OfTheNodeThatIsAsked: the command answers although its node goes. Started again, as service managers do, the node says
// what happened and ends; with --rejoin it comes back as a new node.
func TestDeparture_OfTheNodeThatIsAsked(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	id := c.id(1)
	p, code := c.ask(c.addr(1), "cluster", "remove", id)
	require.Equal(t, exitDone, code, p.stderr.String())
	require.Equal(t, "removed  "+id+"\n", p.stdout.String())

	said := id + ` left cluster cluster_\w+ for good: it was removed at \S+Z by root key \w+ \(bootstrap\) from 127\.0\.0\.1\n` +
		`To let this machine join again as a new node, start it once with --rejoin`
	require.Equal(t, exitStuck, c.nodes[1].wait())
	require.Regexp(t, said, c.nodes[1].stderr.String())
	c.start(1)
	require.Equal(t, exitStuck, c.nodes[1].wait())
	require.Regexp(t, said, c.nodes[1].stderr.String())
	p, code = c.ask(c.addr(0), "cluster", "remove", id)
	require.Equal(t, exitFailed, code)
	require.Regexp(t, `400 .*: The node is not part of this cluster any more: `+id+` was removed at \S+Z by root key`, p.stderr.String())

	c.start(1, "--rejoin")
	c.nodes[1].await(c.nodes[1].stderr, `msg=ready`)
	again := c.id(1)
	require.NotEqual(t, id, again)
	require.FileExists(t, filepath.Join(c.dirs[1], "removed-1", "meta.json"))
	c.awaitStatus(0, func(nodes map[string]api.NodeStatus) bool { return nodes[again].Membership == "voter" })
	c.stop()
}

// TestDeparture_OfANodeThatIsDown: it learns from the others that it was removed, and with --rejoin begins anew at once.
func TestDeparture_OfANodeThatIsDown(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	id := c.id(2)
	c.nodes[2].terminate()
	p, code := c.ask(c.addr(2)+","+c.addr(0), "cluster", "remove", id)
	require.Equal(t, exitDone, code, p.stderr.String())
	c.start(2, "--rejoin")
	c.nodes[2].await(c.nodes[2].stderr, "this node was removed from its cluster: it sets its data aside")
	c.nodes[2].await(c.nodes[2].stderr, `msg=ready`)
	c.stop()
}

// TestStatus_WithoutAQuorum: an operator needs the status most when there is no leader, and right after a restart. The exit code tells.
func TestStatus_WithoutAQuorum(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	p, code := c.ask(c.addr(0), "cluster", "status")
	require.Equal(t, exitDone, code, p.stderr.String())
	require.Regexp(t, `(?m)^as seen  by `+c.id(0)+` at http://`+c.addr(0)+`$`, p.stdout.String())

	c.nodes[1].terminate()
	p, code = c.ask(c.addr(1)+","+c.addr(0), "cluster", "status")
	require.Equal(t, exitFailed, code)
	require.Contains(t, p.stderr.String(), "1 of 3 voters do not answer: "+c.id(1))
	require.Contains(t, p.stdout.String(), "by "+c.id(0))

	c.nodes[2].terminate()
	c.nodes[0].terminate()
	c.start(0)
	c.id(0)
	await(t, func() bool {
		p, code = c.ask(c.addr(2)+","+c.addr(0), "cluster", "status")
		return p.stdout.String() != ""
	})
	require.Equal(t, exitFailed, code)
	require.Contains(t, p.stderr.String(), "there is no leader; 2 of 3 voters do not answer: ")
	require.Regexp(t, `(?m)^leader   none: .*\n(.*\n)*as seen  by `+c.id(0)+` at .*, stale: `, p.stdout.String())
	require.Regexp(t, `(?m)^`+c.id(1)+` +- +unknown +voter +failed`, p.stdout.String())
	require.NotContains(t, p.stdout.String(), "reduced")
	c.nodes[0].terminate()
}
