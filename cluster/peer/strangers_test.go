package peer

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// 256 silent connections once kept every other one out for five seconds. A failover took 13.
func TestMux_AFloodOfSilentConnectionsDelaysNobody(t *testing.T) {
	m := startMux(t, MuxConfig{MaxPreambles: 64, PreambleTimeout: time.Minute}, echo)
	for range 500 {
		conn, err := net.Dial("tcp", m.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
	}
	for range 5 {
		began := time.Now()
		c := NewClient(m.Addr().String(), ClientConfig{})
		_, err := c.Call(testContext(t), 1, nil)
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.Less(t, time.Since(began), time.Second)
	}
	require.LessOrEqual(t, m.lobby.Len(), 64)
	require.Greater(t, m.Refused(), uint64(400))
}

// Connections that name no member are bounded. That of a member stays, whatever comes.
func TestServer_StrangersDoNotDisplaceAMember(t *testing.T) {
	nodes := make(chan string, 1)
	m := startMux(t, MuxConfig{Calls: ConnLimits{MaxStrangers: 8, Member: func(id string) bool { return id == "member" }}},
		Handler(func(r Request, reply Reply) { nodes <- r.Node; reply(CodeOK, nil) }))
	addr := m.Addr().String()
	call := func(c *Client) string {
		_, err := c.Call(testContext(t), 1, nil)
		require.NoError(t, err)
		return <-nodes
	}
	member := newTestClient(t, addr, ClientConfig{Dialer: Dialer{NodeID: "member"}})
	require.Equal(t, "member", call(member))
	member.mu.Lock()
	link := member.link
	member.mu.Unlock()

	for i := range 50 {
		id := fmt.Sprintf("stranger%d", i)
		if i%2 == 0 {
			id = ""
		}
		require.Equal(t, id, call(newTestClient(t, addr, ClientConfig{Dialer: Dialer{NodeID: id}})))
	}
	open := func() int {
		m.server.mu.Lock()
		defer m.server.mu.Unlock()
		return len(m.server.conns)
	}
	eventually(t, func() bool { return open() <= 9 }, "eight strangers and the member are left")
	require.Equal(t, "member", call(member))
	member.mu.Lock()
	defer member.mu.Unlock()
	require.Same(t, link, member.link, "the connection of the member is the same")
}

func TestServer_EndsConnectionsWithoutCalls(t *testing.T) {
	m := startMux(t, MuxConfig{Calls: ConnLimits{FirstCallTimeout: 20 * time.Millisecond, IdleTimeout: 20 * time.Millisecond}}, echo)
	ends := func(conn net.Conn) {
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		_, err := io.Copy(io.Discard, conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	silent, err := Dialer{}.DialCalls(testContext(t), m.Addr().String())
	require.NoError(t, err)
	ends(silent)
	once, err := Dialer{}.DialCalls(testContext(t), m.Addr().String())
	require.NoError(t, err)
	_, err = once.Write(frameHeader{id: 1, kind: 1}.appendRequest(nil, 0))
	require.NoError(t, err)
	ends(once)
}

// A call may take longer than a connection may be idle.
func TestServer_KeepsAConnectionThatWaitsForAnAnswer(t *testing.T) {
	replies := make(chan Reply, 1)
	m := startMux(t, MuxConfig{Calls: ConnLimits{FirstCallTimeout: time.Hour, IdleTimeout: time.Hour}},
		Handler(func(_ Request, reply Reply) { replies <- reply }))
	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	answered := goCall(testContext(t), c, nil)
	reply := <-replies
	m.server.mu.Lock()
	for s := range m.server.conns {
		for range 3 {
			s.look()
		}
	}
	m.server.mu.Unlock()
	reply(CodeOK, []byte("late"))
	r := await(t, answered)
	require.NoError(t, r.err)
	require.Equal(t, "late", string(r.payload))
}

func TestServer_RefusesASecondAnnouncement(t *testing.T) {
	m := startMux(t, MuxConfig{}, echo)
	for _, payload := range []string{"", string(make([]byte, maxIDBytes+1)), "a", "ab"} {
		conn, err := Dialer{}.DialCalls(testContext(t), m.Addr().String())
		require.NoError(t, err)
		announcement := append(frameHeader{kind: methodAnnounce}.appendRequest(nil, len(payload)), payload...)
		_, _ = conn.Write(append(announcement, announcement...))
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		_, err = conn.Read(make([]byte, 1))
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, conn.Close())
	}
}
