package links

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echoes runs two "nodes" that send back what they get; every connection is made by node 0.
func echoes(t *testing.T) *Net {
	t.Helper()
	var targets []string
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		targets = append(targets, listener.Addr().String())
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
	}
	n, err := New(targets, func(net.Conn) (int, bool) { return 0, true })
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n
}

func dial(t *testing.T, n *Net) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", n.Addr(1))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func echo(conn net.Conn, patience time.Duration) error {
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

func TestNet_BlocksOneDirectionAndLosesNothing(t *testing.T) {
	n := echoes(t)
	conn := dial(t, n)
	require.NoError(t, echo(conn, soon))
	for _, block := range [][2]int{{0, 1}, {1, 0}} {
		n.Block(block[0], block[1])
		require.Error(t, echo(conn, not), "%v is blocked", block)
		require.Error(t, echo(dial(t, n), not), "a new connection")
		n.Heal()
		require.NoError(t, answer(conn, soon), "what was on its way arrives")
	}
	require.NoError(t, echo(dial(t, n), soon))
}

func TestNet_Delays(t *testing.T) {
	n := echoes(t)
	conn := dial(t, n)
	require.NoError(t, echo(conn, soon))
	n.Delay(1, 0, 80*time.Millisecond, 20*time.Millisecond)
	begin := time.Now()
	require.NoError(t, echo(conn, soon))
	require.GreaterOrEqual(t, time.Since(begin), 80*time.Millisecond)
}

func TestNet_EndsReachTheOtherSide(t *testing.T) {
	n := echoes(t)
	conn := dial(t, n)
	require.NoError(t, echo(conn, soon))
	n.Close()
	require.ErrorIs(t, answer(conn, soon), io.EOF)
}
