package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
)

// handbook runs the commands of docs/operating.md and docs/upgrading.md as they are written there, in a directory of its own.
type handbook struct {
	t      testing.TB
	dir    string
	blocks map[string]string
	env    map[string]string
}

var handbookBlock = regexp.MustCompile("(?s)<!-- run: ([a-z]+) -->\\s*```\n(.*?)```")

func openHandbook(t testing.TB) *handbook {
	t.Helper()
	var pages string
	for _, name := range []string{"operating.md", "upgrading.md"} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		require.NoError(t, err)
		pages += string(page)
	}
	h := &handbook{t: t, dir: t.TempDir(), blocks: map[string]string{}, env: map[string]string{
		"PATH": filepath.Dir(binary) + string(os.PathListSeparator) + os.Getenv("PATH"),
	}}
	for _, block := range handbookBlock.FindAllStringSubmatch(pages, -1) {
		text := strings.TrimSpace(strings.ReplaceAll(block[2], "\n   ", "\n"))
		if before, twice := h.blocks[block[1]]; twice {
			require.Equal(t, before, text, "two blocks have the name %s", block[1])
		}
		h.blocks[block[1]] = text
	}
	require.Equal(t, "creditd", filepath.Base(binary), "the commands name it so")
	return h
}

// run runs a block and returns what it printed.
func (h *handbook) run(name string, env map[string]string) string {
	h.t.Helper()
	require.Contains(h.t, h.blocks, name)
	shell := exec.Command("sh", "-euc", h.blocks[name])
	shell.Dir = h.dir
	for _, vars := range []map[string]string{h.env, env} {
		for name, value := range vars {
			shell.Env = append(shell.Env, name+"="+value)
		}
	}
	out, err := shell.CombinedOutput()
	require.NoError(h.t, err, "%s\n%s", h.blocks[name], out)
	return string(out)
}

// charging charges one credit of a key after the other until stop is called.
type charging struct {
	attempted, acknowledged atomic.Int64
	stop                    func()
}

func charge(t testing.TB, key string, nodes ...*client.Client) *charging {
	t.Helper()
	c := &charging{}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	c.stop = func() { cancel(); clients.Wait() }
	t.Cleanup(c.stop)
	for _, node := range nodes {
		clients.Go(func() {
			for ctx.Err() == nil {
				c.attempted.Add(1)
				var verdict struct{ Valid bool }
				if node.Call(ctx, "keys.verifyKey", object{"key": key, "credits": object{"cost": 1}}, &verdict).Err == nil && verdict.Valid {
					c.acknowledged.Add(1)
				}
			}
		})
	}
	return c
}

// between checks that a balance is what a load has left of a million: all that was acknowledged is gone, and nothing that was never asked for.
func (c *charging) between(t testing.TB, left, acknowledged, attempted int64) {
	t.Helper()
	require.LessOrEqual(t, left, 1_000_000-acknowledged, "a charge that was acknowledged is lost")
	require.GreaterOrEqual(t, left, 1_000_000-attempted, "a charge happened twice")
}

func (c *trio) client(i int) *client.Client {
	return client.New(client.Config{Node: "http://" + c.addr(i), RootKey: testRootKey, Timeout: patience})
}

// join starts a node and waits until it has a vote.
func (c *trio) join(i int, more ...string) {
	c.t.Helper()
	c.start(i, more...)
	c.nodes[i].await(c.nodes[i].stderr, `msg=ready`)
}

func requireVoters(t testing.TB, c *client.Client, want int) (status api.Status) {
	t.Helper()
	await(t, func() bool {
		status = must[api.Status](t, c, "cluster.getStatus", object{})
		voters := 0
		for _, n := range status.Nodes {
			if n.Voter && n.Role != "unknown" {
				voters++
			}
		}
		return voters == want && len(status.Nodes) == want
	})
	return status
}

// lead makes a node the leader.
func (c *trio) lead(i int) {
	c.t.Helper()
	await(c.t, func() bool {
		if must[api.Status](c.t, c.client(i), "cluster.getStatus", object{}).LeaderID == c.id(i) {
			return true
		}
		_ = c.client(i).Call(c.t.Context(), "cluster.transferLeadership", object{"nodeId": c.id(i)}, nil)
		return false
	})
}

// TestHandbook_TheQuorumIsLost: two nodes of three are lost under load. The survivor, which led, goes on with all that was acknowledged. A node of
// before is refused, and joins anew.
func TestHandbook_TheQuorumIsLost(t *testing.T) {
	t.Parallel()
	h, c := openHandbook(t), startTrio(t)
	admin := filepath.Join(t.TempDir(), "admin")
	require.NoError(t, os.WriteFile(admin, []byte(testRootKey+"\n"), 0o600))
	key := addCustomer(t, c.client(0), "alice", 1_000_000)
	c.lead(0)
	cluster := must[api.Status](t, c.client(0), "cluster.getStatus", object{}).ClusterID
	load := charge(t, key, c.client(0), c.client(0), c.client(0))
	await(t, func() bool { return load.acknowledged.Load() > 300 })
	old := c.id(0)
	c.nodes[1].Kill()
	c.nodes[2].Kill()
	c.nodes[0].signal(os.Interrupt)
	c.nodes[0].wait()
	load.stop()

	env := map[string]string{"DATA": c.dirs[0], "NODE": "http://" + c.addr(0), "ADMIN": admin}
	look := h.run("look", env)
	require.Regexp(t, `(?m)^node +`+old+`$`, look)
	require.Contains(t, look, "left behind  voter ")
	recovered := h.run("recover", env)
	generation := regexp.MustCompile(`(?m)^cluster +` + cluster + `, generation (2\.\w+)$`).FindStringSubmatch(recovered)
	require.NotNil(t, generation, recovered)
	c.join(0)
	require.NotEqual(t, old, c.id(0))
	require.Contains(t, h.run("check", env), "cluster  "+cluster+", generation "+generation[1])
	left := balance(t, c.client(0), "alice")
	load.between(t, left, load.acknowledged.Load(), load.attempted.Load())

	// The other nodes still have their data. One is started with it, and the other is emptied.
	c.start(1)
	require.Equal(t, exitStuck, c.nodes[1].wait())
	require.Regexp(t, `belongs to generation 1 of cluster `+cluster+`, which was recovered without it as generation `+regexp.QuoteMeta(generation[1])+`: `+c.id(0)+` is there`, c.nodes[1].stderr.String())
	c.start(1)
	require.Equal(t, exitStuck, c.nodes[1].wait())
	require.EqualValues(t, 1, len(must[api.Status](t, c.client(0), "cluster.getStatus", object{}).Nodes), "it was never added")
	c.join(1, "--rejoin")
	require.NoError(t, os.RemoveAll(c.dirs[2]))
	c.join(2)
	status := requireVoters(t, c.client(0), 3)
	require.Equal(t, generation[1], status.Generation)
	must[object](t, c.client(1), "keys.verifyKey", object{"key": key, "credits": object{"cost": 5}})
	for i := range c.nodes {
		require.Equal(t, left-5, balance(t, c.client(i), "alice"))
	}
	c.stop()
}

// TestHandbook_AllNodesAreLost: a snapshot that was saved under load becomes a cluster of three again.
func TestHandbook_AllNodesAreLost(t *testing.T) {
	t.Parallel()
	h, c := openHandbook(t), startTrio(t)
	dir := t.TempDir()
	env := map[string]string{
		"DATA": c.dirs[0], "NODE": "http://" + c.addr(0), "ADMIN": filepath.Join(dir, "admin"), "BACKUP_KEY": filepath.Join(dir, "backup-key"), "FILE": filepath.Join(dir, "file"),
		"CREDITD_LOG_STORE": "boltdb", // as these nodes have it
	}
	require.NoError(t, os.WriteFile(env["ADMIN"], []byte(testRootKey+"\n"), 0o600))
	key := addCustomer(t, c.client(0), "alice", 1_000_000)
	granted := regexp.MustCompile(`unkey_\w+|root_\w+`).FindString(h.run("grant", env))
	require.NotEmpty(t, granted)
	require.NoError(t, os.WriteFile(env["BACKUP_KEY"], []byte(granted+"\n"), 0o600))
	load := charge(t, key, c.client(0), c.client(1), c.client(2))
	await(t, func() bool { return load.acknowledged.Load() > 300 })
	acknowledged := load.acknowledged.Load()
	require.Contains(t, h.run("save", env), "saved    "+env["FILE"])
	attempted := load.attempted.Load()
	load.stop()
	for i := range c.nodes {
		c.nodes[i].Kill()
		require.NoError(t, os.RemoveAll(c.dirs[i]))
	}

	require.Contains(t, h.run("verify", env), "the whole ledger")
	h.run("restore", env)
	c.join(0)
	require.Contains(t, h.run("check", env), fmt.Sprintf("as seen  by %s", c.id(0)))
	left := balance(t, c.client(0), "alice")
	load.between(t, left, acknowledged, attempted)
	c.join(1)
	c.join(2)
	requireVoters(t, c.client(0), 3)
	must[object](t, c.client(2), "keys.verifyKey", object{"key": key, "credits": object{"cost": 5}})
	for i := range c.nodes {
		require.Equal(t, left-5, balance(t, c.client(i), "alice"))
	}
	c.stop()
}

// Every command of the handbook is run by one of the tests above.
func TestHandbook_NothingIsLeftOut(t *testing.T) {
	var text []byte
	for _, name := range []string{"handbook_test.go", "handbook_upgrade_test.go"} {
		more, err := os.ReadFile(name)
		require.NoError(t, err)
		text = append(text, more...)
	}
	for name := range openHandbook(t).blocks {
		require.Contains(t, string(text), `h.run("`+name+`", env)`)
	}
}
