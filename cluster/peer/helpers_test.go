package peer

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// deadline is how long a test waits for something that must happen.
const deadline = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mayHaveActed reports whether err leaves open what the peer did with the request.
func mayHaveActed(err error) bool {
	var e *CallError
	return errors.As(err, &e) && e.Sent
}

// Addr returns the address of the listener.
func (m *Mux) Addr() net.Addr { return m.conf.Listener.Addr() }

// echo answers every call with its payload.
var echo = Handler(func(r Request, reply Reply) { reply(CodeOK, r.Payload) })

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = ln.Close() })
	return ln
}

// startMux starts a mux; h may be nil.
func startMux(tb testing.TB, conf MuxConfig, h Handler) *Mux {
	tb.Helper()
	if conf.Listener == nil {
		conf.Listener = listen(tb)
	}
	if conf.NodeID == "" {
		conf.NodeID = "node"
	}
	m, err := NewMux(conf)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.Close()) })
	if h != nil {
		m.Serve(h)
	}
	m.Start()
	return m
}

// serve starts a mux that answers calls with h and returns its address.
func serve(tb testing.TB, h Handler) string {
	tb.Helper()
	return startMux(tb, MuxConfig{}, h).Addr().String()
}

func newTestClient(tb testing.TB, addr string, conf ClientConfig) *Client {
	tb.Helper()
	c := NewClient(addr, conf)
	tb.Cleanup(func() { require.NoError(tb, c.Close()) })
	return c
}

func testContext(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	tb.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition, without a fixed sleep that is too short
// on one machine and too long on the other.
func eventually(tb testing.TB, condition func() bool, what string) {
	tb.Helper()
	require.Eventually(tb, condition, deadline, time.Millisecond, what)
}
