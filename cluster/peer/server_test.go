package peer

import (
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServer_GivesTheHandlerTheDeadlineOfTheCaller(t *testing.T) {
	deadlines := make(chan time.Time, 1)
	c := newTestClient(t, serve(t, Handler(func(r Request, reply Reply) {
		deadlines <- r.Deadline
		reply(CodeOK, nil)
	})), ClientConfig{})
	ctx := testContext(t)
	_, err := c.Call(ctx, 1, nil)
	require.NoError(t, err)
	want, _ := ctx.Deadline()
	require.WithinDuration(t, want, <-deadlines, time.Second)

	_, err = c.Call(t.Context(), 1, nil)
	require.NoError(t, err)
	require.True(t, (<-deadlines).IsZero())
}

func TestServer_TakesTheFirstReplyOnly(t *testing.T) {
	m := startMux(t, MuxConfig{}, Handler(func(r Request, reply Reply) {
		var wg sync.WaitGroup
		reply(CodeOK, []byte("first"))
		for range 8 {
			wg.Go(func() { reply(1, []byte("later")) })
		}
		wg.Wait()
	}))
	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	for range 20 {
		got, err := c.Call(testContext(t), 1, []byte("request"))
		require.NoError(t, err)
		require.Equal(t, "first", string(got))
	}
	// A second reply would give the bounds back twice.
	eventually(t, func() bool { return m.server.bytes.Load() == 0 }, "the byte budget is balanced")
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	for s := range m.server.conns {
		s.mu.Lock()
		require.Zero(t, s.calls)
		s.mu.Unlock()
	}
}

func TestServer_IgnoresRepliesAfterTheConnectionIsGone(t *testing.T) {
	replies := make(chan Reply, 1)
	m := startMux(t, MuxConfig{}, Handler(func(_ Request, reply Reply) { replies <- reply }))
	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	ch := goCall(t.Context(), c, make([]byte, 100))
	reply := <-replies
	require.NoError(t, c.Close())
	require.True(t, mayHaveActed(await(t, ch).err))
	eventually(t, func() bool {
		m.server.mu.Lock()
		defer m.server.mu.Unlock()
		return len(m.server.conns) == 0
	}, "the connection ends")
	reply(CodeOK, make([]byte, 100))
	require.Zero(t, m.server.bytes.Load(), "the budget is given back")
}

// Refused before the handler saw it: that is NotSent, though bytes were sent.
func TestServer_RefusesCallsBeyondItsBound(t *testing.T) {
	replies := make(chan Reply, 10)
	addr := startMux(t, MuxConfig{Limits: Limits{MaxCalls: 1, MaxCallBytes: 4096, MaxFrameBytes: 4096}},
		Handler(func(_ Request, reply Reply) { replies <- reply })).Addr().String()
	c := newTestClient(t, addr, ClientConfig{})
	ch := goCall(testContext(t), c, nil)
	reply := <-replies
	_, err := c.Call(testContext(t), 1, make([]byte, 3000))
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, ErrOverloaded)
	require.Empty(t, replies)
	reply(CodeOK, nil)
	require.NoError(t, await(t, ch).err)
}

func TestServer_RefusesPayloadsBeyondItsByteBudget(t *testing.T) {
	replies := make(chan Reply, 10)
	m := startMux(t, MuxConfig{Limits: Limits{MaxCallBytes: 200 << 10, MaxFrameBytes: 200 << 10}},
		Handler(func(_ Request, reply Reply) { replies <- reply }))
	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	ch := goCall(testContext(t), c, make([]byte, 150<<10))
	reply := <-replies
	_, err := c.Call(testContext(t), 1, make([]byte, 150<<10))
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, ErrOverloaded)
	reply(CodeOK, nil)
	require.NoError(t, await(t, ch).err)
	eventually(t, func() bool { return m.server.bytes.Load() == 0 }, "the budget is given back")
}

func TestServer_SaysThatAnAnswerIsTooLarge(t *testing.T) {
	addr := startMux(t, MuxConfig{Limits: Limits{MaxFrameBytes: 1024}},
		Handler(func(_ Request, reply Reply) { reply(CodeOK, make([]byte, 2000)) })).Addr().String()
	_, err := newTestClient(t, addr, ClientConfig{}).Call(testContext(t), 1, nil)
	require.True(t, mayHaveActed(err), "the peer acted")
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestServer_EndsAConnectionThatBreaksTheProtocol(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"oversize frame": {0xff, 0xff, 0xff, 0xff, 1, 1, 0},
		"empty frame":    {0, 0, 0, 0, 1},
		"no timeout":     {0, 0, 0, 2, 1, 1},
		"padded varint":  {0, 0, 0, 4, 0x80, 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			addr := serve(t, Handler(func(Request, Reply) { t.Error("the handler was called") }))
			conn, err := Dialer{}.DialCalls(testContext(t), addr)
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.Write(bytes)
			require.NoError(t, err)
			_ = conn.SetReadDeadline(time.Now().Add(deadline))
			_, err = conn.Read(make([]byte, 1))
			require.Error(t, err)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		})
	}
}

// A newer build may use a reserved method, or say more in a probe: this one refuses or ignores it, and the connection goes on.
func TestServer_AnswersReservedMethodsOfANewerBuild(t *testing.T) {
	addr := serve(t, Handler(func(Request, Reply) { t.Error("the handler was called") }))
	conn, err := Dialer{}.DialCalls(testContext(t), addr)
	require.NoError(t, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(deadline))
	r := newFrameReader(conn, decodeResponse, Limits{}.withDefaults())
	for id, test := range []struct{ method, want byte }{{240, codeUnsupported}, {methodProbe, CodeOK}, {240, codeUnsupported}} {
		h := frameHeader{id: uint64(id), kind: test.method}
		_, err = conn.Write(append(h.appendRequest(nil, 3), "abc"...))
		require.NoError(t, err)
		answer, n, err := r.next()
		require.NoError(t, err)
		require.Equal(t, frameHeader{id: h.id, kind: test.want}, answer)
		require.Zero(t, n)
	}
}

// A client that calls and never reads must cost a bounded amount of memory
// for a bounded time.
func TestServer_EndsAClientThatDoesNotRead(t *testing.T) {
	m := startMux(t, MuxConfig{Limits: Limits{WriteTimeout: 50 * time.Millisecond}},
		Handler(func(_ Request, reply Reply) { reply(CodeOK, make([]byte, 1<<20)) }))
	conn, err := Dialer{}.DialCalls(testContext(t), m.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write(repeat(frameHeader{id: 1, kind: 1}.appendRequest(nil, 0), 64))
	require.NoError(t, err)
	eventually(t, func() bool {
		m.server.mu.Lock()
		defer m.server.mu.Unlock()
		return len(m.server.conns) == 0 && m.server.bytes.Load() == 0
	}, "the connection ends and gives its bytes back")
}

func repeat(b []byte, n int) []byte {
	var out []byte
	for range n {
		out = append(out, b...)
	}
	return out
}

func TestServer_EndsALargeFrameThatStops(t *testing.T) {
	m := startMux(t, MuxConfig{Limits: Limits{WriteTimeout: 30 * time.Millisecond}}, echo)
	conn, err := Dialer{}.DialCalls(testContext(t), m.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write(append(frameHeader{id: 1, kind: 1}.appendRequest(nil, 8<<20), make([]byte, 100)...))
	require.NoError(t, err)
	_ = conn.SetReadDeadline(time.Now().Add(deadline))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	eventually(t, func() bool { return m.server.bytes.Load() == 0 }, "its memory is given back")
}

func TestServer_FlushesReadyAnswersOnClose(t *testing.T) {
	replies := make(chan Reply, 1)
	m := startMux(t, MuxConfig{}, Handler(func(_ Request, reply Reply) { replies <- reply }))
	c := newTestClient(t, m.Addr().String(), ClientConfig{})
	ch := goCall(testContext(t), c, nil)
	(<-replies)(CodeOK, []byte("done"))
	require.NoError(t, m.Close())
	r := await(t, ch)
	require.NoError(t, r.err)
	require.Equal(t, "done", string(r.payload))
}

func TestServer_CloseDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	m := startMux(t, MuxConfig{}, Handler(func(_ Request, reply Reply) { reply(CodeOK, make([]byte, 16<<20)) }))
	conn, err := Dialer{}.DialCalls(testContext(t), m.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write(repeat(frameHeader{id: 1, kind: 1}.appendRequest(nil, 0), 4))
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, 10))
	require.NoError(t, err)
	start := time.Now()
	require.NoError(t, m.Close())
	require.Less(t, time.Since(start), 5*time.Second)
}

// A handler that panics has a bug in code that moves money: the process ends.
func TestServer_CrashesWhenTheHandlerPanics(t *testing.T) {
	if os.Getenv("PEER_TEST_PANIC") == "1" {
		addr := serve(t, Handler(func(Request, Reply) { panic("planted bug") }))
		_, _ = NewClient(addr, ClientConfig{}).Call(testContext(t), 1, nil)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServer_CrashesWhenTheHandlerPanics$")
	cmd.Env = append(os.Environ(), "PEER_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "panic: planted bug")
}

func TestServer_RefusesConnectionsAfterClose(t *testing.T) {
	s := NewServer(echo, Limits{}, nil)
	require.NoError(t, s.Close())
	a, b := net.Pipe()
	defer a.Close()
	s.ServeConn(b)
	_, err := a.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
