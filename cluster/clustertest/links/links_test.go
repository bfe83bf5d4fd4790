package links

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fixture is two nodes that send back what they get. Node a makes every connection, directly or through a proxy.
type fixture struct {
	t     *testing.T
	net   *Net
	proxy *Proxy
	a, b  string
}

// each runs a test in both ways in which nodes meet.
func each(t *testing.T, test func(*testing.T, *fixture)) {
	t.Run("in one process", func(t *testing.T) { test(t, newFixture(t)) })
	t.Run("through a proxy", func(t *testing.T) { test(t, newProxied(t)) })
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return &fixture{t: t, net: New(nil), a: echoes(t), b: echoes(t)}
}

func newProxied(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	var err error
	f.proxy, err = NewProxy(f.net, []string{f.a, f.b}, func(net.Conn) (string, bool) { return f.a, true })
	require.NoError(t, err)
	t.Cleanup(f.proxy.Close)
	return f
}

func echoes(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func (f *fixture) dial(patience time.Duration) (net.Conn, error) {
	if f.proxy != nil {
		return net.Dial("tcp", f.proxy.Addr(1))
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	return f.net.Dial(ctx, f.a, f.b, func(context.Context) (net.Conn, error) { return net.Dial("tcp", f.b) })
}

func (f *fixture) connect() net.Conn {
	f.t.Helper()
	conn, err := f.dial(soon)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func echo(conn net.Conn, patience time.Duration) error {
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	return answer(conn, patience)
}

func answer(conn net.Conn, patience time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

const (
	soon = 10 * time.Second
	not  = 50 * time.Millisecond
)

func TestNet_ABlockHoldsBackWhatIsSent(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		conn := f.connect()
		require.NoError(t, echo(conn, soon))
		f.net.Block(f.a, f.b)
		require.ErrorIs(t, echo(conn, not), os.ErrDeadlineExceeded)
		if hung, err := f.dial(not); err == nil { // a proxy takes the connection, and nothing comes through
			require.Error(t, echo(hung, not))
			require.NoError(t, hung.Close())
		}
		f.net.HealAll()
		if f.proxy != nil {
			require.NoError(t, answer(conn, soon), "what was on its way arrives")
		}
		require.NoError(t, echo(conn, soon))
		require.NoError(t, echo(f.connect(), soon))
	})
}

// Only a proxy stands before the answers of a node that accepts connections.
func TestProxy_BlocksAnswersToo(t *testing.T) {
	f := newProxied(t)
	conn := f.connect()
	require.NoError(t, echo(conn, soon))
	f.net.Block(f.b, f.a)
	require.Error(t, echo(conn, not))
	f.net.Heal(f.b, f.a)
	require.NoError(t, answer(conn, soon))
}

func TestNet_ACutBreaksConnections(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		conn := f.connect()
		require.NoError(t, echo(conn, soon))
		f.net.Cut(f.b, f.a)
		require.Error(t, echo(conn, soon))
		if again, err := f.dial(soon); err == nil {
			require.Error(t, echo(again, soon))
		}
		f.net.Heal(f.b, f.a)
		require.NoError(t, echo(f.connect(), soon))
	})
}

func TestNet_Delays(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		conn := f.connect()
		require.NoError(t, echo(conn, soon))
		f.net.Delay(f.a, f.b, 80*time.Millisecond, 20*time.Millisecond)
		begin := time.Now()
		require.NoError(t, echo(conn, soon))
		require.GreaterOrEqual(t, time.Since(begin), 80*time.Millisecond)
	})
}

func TestProxy_CloseEndsConnectionsThatAreBlocked(t *testing.T) {
	f := newProxied(t)
	conn := f.connect()
	require.NoError(t, echo(conn, soon))
	f.net.Block(f.a, f.b)
	_, err := conn.Write([]byte("x"))
	require.NoError(t, err)
	f.proxy.Close()
	err = answer(conn, soon)
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
