// Package clustertest runs whole clusters inside one test process: real raft, gossip and peer ports on loopback, real data
// directories, and links that can be cut. For tests only.
package clustertest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest/links"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// RootKey is the hash of the root key of every cluster made here.
var RootKey = fsm.Hash{0xc1, 0x0d}

// timeout bounds every wait.
const timeout = 30 * time.Second

// Cluster is a set of nodes, some of which may be down.
type Cluster struct {
	t    testing.TB
	dir  string
	tune func(*cluster.Config)

	Nodes []*Node
	net   *links.Net
	log   *testWriter
}

// Node is one place in a cluster: a data directory, addresses, and a node while it is up.
type Node struct {
	*cluster.Node // nil while down
	store         *store.Store
	Peer, Gossip  string
	dir           string
	full          atomic.Bool
}

// New starts n nodes that found one cluster, and waits until all of them are ready. tune may change each node's configuration.
func New(t testing.TB, n int, tune func(*cluster.Config)) *Cluster {
	t.Helper()
	c := &Cluster{t: t, dir: t.TempDir(), tune: tune, net: links.New(nil), log: newTestWriter(t)}
	for range n {
		c.slot()
	}
	t.Cleanup(c.stop)
	for i := range c.Nodes {
		c.Start(i)
	}
	c.WaitReady()
	return c
}

// Tune changes the configuration of nodes that are started from now on, in addition to what New was given.
func (c *Cluster) Tune(more func(*cluster.Config)) {
	first := c.tune
	c.tune = func(conf *cluster.Config) {
		if first != nil {
			first(conf)
		}
		more(conf)
	}
}

// slot reserves a data directory and addresses.
func (c *Cluster) slot() int {
	i := len(c.Nodes)
	m := &Node{dir: filepath.Join(c.dir, fmt.Sprintf("node%d", i))}
	c.Nodes = append(c.Nodes, m)
	m.Peer = c.freeAddr()
	m.Gossip = c.freeAddr()
	return i
}

// Add starts one more node, which joins.
func (c *Cluster) Add() int {
	i := c.slot()
	c.Start(i)
	return i
}

// AddAt is Add for a node at a given peer address.
func (c *Cluster) AddAt(peer string) int {
	i := c.slot()
	c.Nodes[i].Peer = peer
	c.Start(i)
	return i
}

// Move gives a node that is down another peer address.
func (c *Cluster) Move(i int) { c.Nodes[i].Peer = c.freeAddr() }

// freeAddr finds a port that neither listens nor was given to another place of this process, which may be about to open it. It is not one
// of those that systems give to outgoing connections: one of them could be taken again before the node opens it.
func (c *Cluster) freeAddr() string {
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if _, taken := given.LoadOrStore(addr, true); !taken && listens(addr) {
			return addr
		}
	}
	c.t.Fatal("no port is free")
	return ""
}

// given are the addresses of all clusters that this process has had: tests that run at the same time must not meet.
var given sync.Map

// listens reports whether both protocols of gossip can be had at an address.
func listens(addr string) bool {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	udp, err := net.ListenPacket("udp", addr)
	if err == nil {
		err = udp.Close()
	}
	return errors.Join(err, tcp.Close()) == nil
}

// diskReserve is what every node holds in reserve.
const diskReserve = 1 << 20

// Fill lets a node believe that its disk is nearly full, or not any more.
func (c *Cluster) Fill(i int, full bool) { c.Nodes[i].full.Store(full) }

func (m *Node) freeBytes(string) (uint64, error) {
	if m.full.Load() {
		return diskReserve / 2, nil
	}
	return 100 * diskReserve, nil
}

// Start brings a node up that is down.
func (c *Cluster) Start(i int) {
	c.t.Helper()
	m := c.Nodes[i]
	require.Nil(c.t, m.Node, "node %d is up already", i)
	s, err := store.Open(store.Options{
		Dir: m.dir, LogStore: store.LogBolt, ReserveBytes: diskReserve, FreeBytes: m.freeBytes, Reads: replica.Reads("test"),
	}) // wal reserves 64 MiB a node
	require.NoError(c.t, err)
	l, err := net.Listen("tcp", m.Peer)
	require.NoError(c.t, err)
	conf := c.config(i, s, l)
	node, err := cluster.New(conf)
	require.NoError(c.t, err)
	require.NoError(c.t, node.Start())
	m.Node, m.store = node, s
}

func (c *Cluster) config(i int, s *store.Store, l net.Listener) cluster.Config {
	conf := cluster.DefaultConfig()
	conf.Store, conf.PeerListener, conf.GossipAddr = s, l, c.Nodes[i].Gossip
	conf.BootstrapExpect = 3
	if len(c.Nodes) < 3 {
		conf.BootstrapExpect = 1
	}
	conf.Founding = fsm.Bootstrap{
		ClusterID: fmt.Sprintf("cl_%d_%08x", i, rand.Uint32()), WorkspaceID: "ws_1", WorkspaceName: "default", RootKeyID: "key_root", RootKeyHash: RootKey,
	}
	for _, m := range c.Nodes {
		conf.Join = append(conf.Join, m.Gossip)
	}
	// On an overloaded machine, goroutines wait for some hundred milliseconds. A leader that waits longer than its lease steps down.
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaseTimeout = 800*time.Millisecond, 800*time.Millisecond, 700*time.Millisecond
	conf.StabilizationTime = 200 * time.Millisecond
	conf.Dial = c.dialFrom(c.Nodes[i].Peer)
	conf.Logger = slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if c.tune != nil {
		c.tune(&conf)
	}
	return conf
}

// testWriter sends log lines to the test's output, which go test shows if the test fails. memberlist may log a last line after it was shut
// down, when the test is over.
type testWriter struct {
	mu   sync.Mutex
	t    testing.TB
	over bool // guarded by mu
}

func newTestWriter(t testing.TB) *testWriter {
	w := &testWriter{t: t}
	_, w.over = t.(*testing.F) // it may not log while its target runs
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over = true
	})
	return w
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Logf("%s", p)
	}
	return len(p), nil
}

// Stop ends a node in good order.
func (c *Cluster) Stop(i int) {
	c.t.Helper()
	m := c.Nodes[i]
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	require.NoError(c.t, m.Close(ctx))
	m.Node = nil
}

// StopAbruptly ends a node without transferring leadership.
func (c *Cluster) StopAbruptly(i int) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(c.t, c.Nodes[i].Close(ctx))
	c.Nodes[i].Node = nil
}

func (c *Cluster) stop() {
	for i, m := range c.Nodes {
		if m.Node != nil {
			c.StopAbruptly(i)
		}
	}
}

// Wipe throws a stopped node's data away, as a lost disk does: it comes back with another id.
func (c *Cluster) Wipe(i int) {
	require.Nil(c.t, c.Nodes[i].Node)
	c.Nodes[i].dir += "-again"
}

// Dir returns the data directory of a node.
func (c *Cluster) Dir(i int) string { return c.Nodes[i].dir }

// Snapshots returns how many snapshots a node has completed since it started.
func (c *Cluster) Snapshots(i int) uint64 { return c.Nodes[i].store.Stats().Snapshots }

// LogSize returns the size of a node's log entries, and of those since its last snapshot.
func (c *Cluster) LogSize(i int) (total, sinceSnapshot uint64) { return c.Nodes[i].store.LogSize() }

// FirstLogIndex returns the index at which a node's log begins.
func (c *Cluster) FirstLogIndex(i int) uint64 {
	c.t.Helper()
	index, err := c.Nodes[i].store.Log().FirstIndex()
	require.NoError(c.t, err)
	return index
}

// WaitReady waits until every node that is up can serve.
func (c *Cluster) WaitReady() {
	c.t.Helper()
	for i, m := range c.Nodes {
		if m.Node == nil {
			continue
		}
		var why error
		require.Eventually(c.t, func() bool { why = m.Ready(); return why == nil }, timeout, 5*time.Millisecond,
			"node %d is not ready: %v", i, why)
	}
}

// Leader waits for the node that leads and returns its place.
func (c *Cluster) Leader() int {
	c.t.Helper()
	leader := -1
	require.Eventually(c.t, func() bool {
		for i, m := range c.Nodes {
			if m.Node != nil && m.Leads() {
				leader = i
				return true
			}
		}
		return false
	}, timeout, 5*time.Millisecond, "nobody leads")
	return leader
}

// Follower waits for a leader and returns the place of another node that is up.
func (c *Cluster) Follower() int {
	c.t.Helper()
	leader := c.Leader()
	for i, m := range c.Nodes {
		if i != leader && m.Node != nil {
			return i
		}
	}
	c.t.Fatal("no follower is up")
	return -1
}

// Do executes a command at a node and returns the result; a fault fails the test.
func (c *Cluster) Do(i int, command fsm.Command) fsm.Result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, _, err := c.Nodes[i].Execute(ctx, fsm.Call{Actor: RootKey, Command: command})
	require.NoError(c.t, err)
	return r
}

// Ask answers a query at a node; a fault fails the test.
func (c *Cluster) Ask(i int, q fsm.Query) fsm.Result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, _, err := c.Nodes[i].Answer(ctx, RootKey, q)
	require.NoError(c.t, err)
	return r
}

// WaitSameDigest waits until all nodes that are up have the same digest at the same index.
func (c *Cluster) WaitSameDigest() {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		seen := map[string]bool{}
		for _, m := range c.Nodes {
			if m.Node != nil {
				index, digest := m.Digest()
				seen[fmt.Sprint(index, digest)] = true
			}
		}
		return len(seen) == 1
	}, timeout, 5*time.Millisecond, "the nodes do not agree")
}

// Cut breaks the connections between the peer ports of two nodes and prevents new ones.
func (c *Cluster) Cut(i, j int) { c.both(i, j, c.net.Cut) }

// Block holds back what two nodes send each other, while their connections stay: nobody is refused and nobody is answered.
func (c *Cluster) Block(i, j int) { c.both(i, j, c.net.Block) }

// Heal ends Cut and Block.
func (c *Cluster) Heal(i, j int) { c.both(i, j, c.net.Heal) }

func (c *Cluster) both(i, j int, change func(from, to string)) {
	change(c.Nodes[i].Peer, c.Nodes[j].Peer)
	change(c.Nodes[j].Peer, c.Nodes[i].Peer)
}

// dialFrom is how a node reaches the peer ports of the others.
func (c *Cluster) dialFrom(from string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, to string) (net.Conn, error) {
		return c.net.Dial(ctx, from, to, func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "tcp", to) })
	}
}
