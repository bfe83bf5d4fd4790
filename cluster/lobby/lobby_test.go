package lobby

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// from is a connection that comes from an address.
type from struct {
	net.Conn
	addr string
}

func (f *from) RemoteAddr() net.Addr { return address(f.addr) }

// A source that floods the port displaces itself: others stay, and of its own the oldest goes.
func TestLobby_TheLoudestSourceDisplacesItself(t *testing.T) {
	l := New(4)
	node := &from{addr: "10.0.0.2:1"}
	require.Nil(t, l.Enter(node))
	var flood []*from
	for i := range 100 {
		c := &from{addr: fmt.Sprintf("10.0.0.9:%d", i+1)}
		flood = append(flood, c)
		displaced := l.Enter(c)
		if i < 3 {
			require.Nil(t, displaced)
			continue
		}
		require.Equal(t, net.Conn(flood[i-3]), displaced)
	}
	require.False(t, l.Leave(flood[0]), "it was displaced")
	require.True(t, l.Leave(node))
	require.Equal(t, 3, l.Len())
	for _, c := range flood {
		l.Leave(c)
	}
	require.Zero(t, l.Len())
	require.Empty(t, l.sources)

	// A host may have all addresses of an IPv6 network of 64 bits.
	require.Equal(t, SourceOf(&from{addr: "[2001:db8::1]:1"}), SourceOf(&from{addr: "[2001:db8::2:3]:9"}))
	require.NotEqual(t, SourceOf(&from{addr: "[2001:db8:0:1::1]:1"}), SourceOf(&from{addr: "[2001:db8::1]:1"}))
	require.Equal(t, SourceOf(&from{addr: "[::ffff:10.0.0.9]:1"}), SourceOf(flood[0]))
}
