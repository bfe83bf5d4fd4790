package gossip

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const deadline = 15 * time.Second

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Memberlist does not wait for a probe that is under way at Shutdown;
		// it ends with its own timeout.
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probeNode"),
	)
}

// logBuffer collects log lines of concurrent writers.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.buf.Bytes(), []byte(text))
}

type testNode struct {
	*Gossip
	logs *logBuffer
}

func start(tb testing.TB, id string, change func(*Config)) testNode {
	tb.Helper()
	logs := &logBuffer{}
	conf := Config{
		NodeID:   id,
		BindAddr: "127.0.0.1:0",
		Profile:  Loopback,
		Meta:     Meta{PeerAddr: id + ":7071", Expect: 3, Version: "test", MinLedger: 1, MaxLedger: 1},
		Logger:   slog.New(slog.NewTextHandler(logs, nil)),
	}
	if change != nil {
		change(&conf)
	}
	g, err := New(conf)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, g.Close()) })
	return testNode{g, logs}
}

func (n testNode) member(id string) Member {
	for _, m := range n.Members() {
		if m.ID == id {
			return m
		}
	}
	return Member{}
}

// await waits, on the node's events, until its view satisfies the condition.
func (n testNode) await(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	end := time.After(deadline)
	for !condition() {
		select {
		case <-n.Events():
		case <-end:
			require.FailNow(tb, what, "%s sees %+v", n.conf.NodeID, n.Members())
		}
	}
}

func (n testNode) sees(id string, h Health) func() bool {
	return func() bool {
		m := n.member(id)
		return m.ID == id && m.Health == h
	}
}

// trio starts three members that know each other.
func trio(tb testing.TB) [3]testNode {
	tb.Helper()
	var nodes [3]testNode
	var addrs []string
	for i := range nodes {
		nodes[i] = start(tb, fmt.Sprint("node-", i), nil)
		addrs = append(addrs, nodes[i].Addr())
	}
	for _, n := range nodes {
		reached, err := n.Join(addrs) // the same list for all, itself included
		require.NoError(tb, err)
		require.Equal(tb, 2, reached)
	}
	for _, n := range nodes {
		for _, other := range nodes {
			n.await(tb, "converge", n.sees(other.conf.NodeID, Alive))
		}
	}
	return nodes
}

func TestGossip_ConvergesOnOneJoinListForAll(t *testing.T) {
	nodes := trio(t)
	for i, n := range nodes {
		members := n.Members()
		require.Len(t, members, 3)
		for j, m := range members {
			require.Equal(t, nodes[j].conf.NodeID, m.ID)
			require.Equal(t, nodes[j].Addr(), m.GossipAddr)
			require.Equal(t, nodes[j].conf.Meta, m.Meta)
			require.Equal(t, i == j, m.Self)
			require.True(t, m.Eligible())
		}
	}
}

func TestGossip_SpreadsChangedMetadata(t *testing.T) {
	nodes := trio(t)
	meta := nodes[0].conf.Meta
	meta.ClusterID, meta.Bootstrapped = "c-1", true
	require.NoError(t, nodes[0].Update(meta))
	for _, n := range nodes {
		n.await(t, "the update", func() bool { return n.member("node-0").Meta == meta })
	}
	meta.Version = string(make([]byte, 100))
	require.ErrorContains(t, nodes[0].Update(meta), "Version")
}

func TestGossip_TellsLeftFromFailed(t *testing.T) {
	nodes := trio(t)
	require.NoError(t, nodes[1].Leave(5*time.Second))
	require.NoError(t, nodes[1].Leave(time.Second))
	require.Equal(t, Left, nodes[1].member("node-1").Health)
	require.ErrorIs(t, nodes[1].Update(Meta{}), ErrClosed)
	require.NoError(t, nodes[1].Close())
	require.NoError(t, nodes[1].Close())
	nodes[0].await(t, "node-1 left", nodes[0].sees("node-1", Left))
	nodes[2].await(t, "node-1 left", nodes[2].sees("node-1", Left))

	require.NoError(t, nodes[2].Close()) // without a word
	nodes[0].await(t, "node-2 failed", nodes[0].sees("node-2", Failed))
	require.False(t, nodes[0].member("node-2").Eligible())
	require.Equal(t, Left, nodes[0].member("node-1").Health, "still remembered")
	_, err := nodes[2].Join([]string{nodes[0].Addr()})
	require.ErrorIs(t, err, ErrClosed)
}

func TestGossip_SeesAFailedMemberComeBack(t *testing.T) {
	a, b := start(t, "a", nil), start(t, "b", nil)
	addr := b.Addr()
	_, err := a.Join([]string{addr})
	require.NoError(t, err)
	require.NoError(t, b.Close())
	a.await(t, "b failed", a.sees("b", Failed))
	// It returns at its address and joins nobody: a finds it.
	start(t, "b", func(c *Config) { c.BindAddr = addr })
	a.await(t, "b is back", a.sees("b", Alive))
	require.Eventually(t, func() bool { return a.logs.count("a member is back") == 1 }, deadline, time.Millisecond)
}

// Memberlist forgets a failed member soon, so the halves of a partition only
// meet again when somebody keeps calling.
func TestGossip_CallsFailedMembersAndNotThoseThatLeft(t *testing.T) {
	failed, left := listen(t), listen(t)
	a := start(t, "a", nil)
	a.table.alive("failed", failed.Addr().String(), Meta{}.encode())
	a.table.alive("left", left.Addr().String(), Meta{}.encode())
	a.table.noteLeaving("left")
	a.table.gone("left")
	require.Empty(t, a.missing())
	a.table.gone("failed")
	require.Equal(t, []string{failed.Addr().String()}, a.missing())
	a.table.alive("replaced", failed.Addr().String(), Meta{}.encode())
	require.Empty(t, a.missing(), "another member has the address by now")
	a.table.gone("replaced")
	a.Forget("replaced")
	require.Equal(t, []string{failed.Addr().String()}, a.missing())
	_ = failed.(*net.TCPListener).SetDeadline(time.Now().Add(deadline))
	conn, err := failed.Accept()
	require.NoError(t, err, "the failed member is called")
	require.NoError(t, conn.Close())
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = ln.Close() })
	return ln
}

// All nodes start at once: nobody is there to be joined at first.
func TestGossip_KeepsTryingTheJoinList(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	later := ln.Addr().String()
	a := start(t, "a", nil)
	require.NoError(t, ln.Close())
	n, err := a.Join([]string{a.Addr(), later})
	require.Error(t, err)
	require.Zero(t, n)
	b := start(t, "b", func(c *Config) { c.BindAddr = later })
	a.await(t, "a finds b", a.sees("b", Alive))
	b.await(t, "b finds a", b.sees("a", Alive))
}

func TestGossip_JoiningOnlyItselfIsNoError(t *testing.T) {
	a := start(t, "a", nil)
	n, err := a.Join([]string{a.Addr(), " "})
	require.NoError(t, err)
	require.Zero(t, n)
	require.Len(t, a.Members(), 1)
}

func TestGossip_FlagsForeignMembersLoudlyOnce(t *testing.T) {
	const loud = "belongs to another cluster"
	a := start(t, "a", func(c *Config) { c.Meta.ClusterID = "c-1" })
	b := start(t, "b", func(c *Config) { c.Meta.ClusterID = "c-2" })
	fresh := start(t, "fresh", nil)
	for _, n := range []testNode{b, fresh} {
		_, err := n.Join([]string{a.Addr()})
		require.NoError(t, err)
	}
	a.await(t, "b is foreign", func() bool { return a.member("b").Foreign })
	b.await(t, "a is foreign", func() bool { return b.member("a").Foreign })
	a.await(t, "fresh is known", a.sees("fresh", Alive))
	require.False(t, a.member("b").Eligible())
	require.False(t, a.member("fresh").Foreign, "it belongs to no cluster yet")
	require.False(t, a.member("a").Foreign)
	require.Eventually(t, func() bool { return a.logs.count(loud) == 1 }, deadline, time.Millisecond)

	// The fresh node learns its cluster: now b is foreign to it as well.
	meta := fresh.conf.Meta
	meta.ClusterID = "c-1"
	require.NoError(t, fresh.Update(meta))
	fresh.await(t, "b is foreign", func() bool { return fresh.member("b").Foreign && !fresh.member("a").Foreign })
	// Another change of b is not worth another line.
	changed := b.conf.Meta
	changed.Bootstrapped = true
	require.NoError(t, b.Update(changed))
	a.await(t, "b's change", func() bool { return a.member("b").Bootstrapped })
	require.Equal(t, 1, a.logs.count(loud))
}

func TestGossip_ReportsTwoNodesWithOneID(t *testing.T) {
	a, twin, other := start(t, "same", nil), start(t, "same", nil), start(t, "other", nil)
	_, err := other.Join([]string{a.Addr()})
	require.NoError(t, err)
	_, _ = twin.Join([]string{other.Addr()})
	require.Eventually(t, func() bool {
		return other.logs.count("two nodes have the same node id") > 0
	}, deadline, time.Millisecond)
	require.Equal(t, a.Addr(), other.member("same").GossipAddr, "the first one stays")
}

func TestGossip_RefusesAWrongKeyOrLabel(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 32)
	secure := func(c *Config) { c.SecretKey, c.Label = key, "blue" }
	a := start(t, "a", secure)
	for name, change := range map[string]func(*Config){
		"wrong key":   func(c *Config) { c.SecretKey, c.Label = bytes.Repeat([]byte{2}, 32), "blue" },
		"no key":      func(c *Config) { c.Label = "blue" },
		"wrong label": func(c *Config) { c.SecretKey, c.Label = key, "green" },
	} {
		t.Run(name, func(t *testing.T) {
			n, err := start(t, "stranger", change).Join([]string{a.Addr()})
			require.Error(t, err)
			require.Zero(t, n)
			require.Len(t, a.Members(), 1)
		})
	}
	b := start(t, "b", secure)
	_, err := b.Join([]string{a.Addr()})
	require.NoError(t, err)
	a.await(t, "b", a.sees("b", Alive))
}

func TestGossip_CloseDoesNotWaitForADeafAddress(t *testing.T) {
	// Accepts in the kernel and never answers.
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer deaf.Close()
	a := start(t, "a", func(c *Config) { c.Profile = LAN })
	joined := make(chan error, 1)
	go func() {
		_, err := a.Join([]string{deaf.Addr().String()})
		joined <- err
	}()
	conn, err := deaf.Accept()
	require.NoError(t, err)
	defer conn.Close()
	begin := time.Now()
	require.NoError(t, a.Close())
	require.Error(t, <-joined)
	require.Less(t, time.Since(begin), 5*time.Second)
}

func TestGossip_IgnoresAMemberItCannotRead(t *testing.T) {
	b := newTable("a", Meta{}, slog.New(slog.DiscardHandler))
	b.alive("b", "127.0.0.1:1", []byte{99, 1, 2})
	m := b.members()[0]
	require.True(t, m.Unreadable)
	require.False(t, m.Eligible())
	require.Len(t, b.notices, 1)
	b.alive("b", "127.0.0.1:1", []byte{99, 1, 2})
	require.Len(t, b.notices, 1, "said once")
	b.alive("b", "127.0.0.1:1", fullMeta().encode())
	require.True(t, b.members()[0].Eligible())
}

// A node that was replaced or removed does not come back. Until it does, gossip must not speak of it.
func TestTable_Forgets(t *testing.T) {
	b := newTable("self", Meta{}, slog.New(slog.DiscardHandler))
	b.alive("b", "127.0.0.1:1", Meta{}.encode())
	b.forget("b")
	require.Len(t, b.members(), 1, "it is alive")
	b.gone("b")
	b.forget("b")
	require.Empty(t, b.members())
	b.gone("b")
	b.noteLeaving("b")
	b.forget("unknown")
	require.Empty(t, b.members())
	b.alive("b", "127.0.0.1:1", Meta{}.encode())
	require.Equal(t, Alive, b.members()[0].Health)
}

func TestTable_RemembersABoundedNumberOfLostMembers(t *testing.T) {
	b := newTable("self", Meta{}, slog.New(slog.DiscardHandler))
	for i := range maxRemembered + 100 {
		id := fmt.Sprint("n", i)
		b.alive(id, "127.0.0.1:1", Meta{}.encode())
		b.gone(id)
	}
	require.LessOrEqual(t, len(b.members()), maxRemembered)
}

// Without this memberlist would bind to every interface.
func TestGossip_ResolvesAHostName(t *testing.T) {
	if _, err := net.LookupHost("localhost"); err != nil {
		t.Skip("no localhost:", err)
	}
	a := start(t, "a", func(c *Config) { c.BindAddr = "localhost:0" })
	host, _, err := net.SplitHostPort(a.Addr())
	require.NoError(t, err)
	require.True(t, net.ParseIP(host).IsLoopback(), host)
}
