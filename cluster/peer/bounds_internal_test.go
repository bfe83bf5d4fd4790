package peer

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// host is a connection of a host.
type host struct {
	net.Conn
	addr string
}

func (h host) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(h.addr)) }

// Raft's connections are bounded: one more displaces the oldest of the source with the most.
func TestRaftLayer_BoundsItsConnections(t *testing.T) {
	l := newRaftLayer(advertised("10.0.0.1:1"), Dialer{})
	ended := make(chan string, maxRaftConns)
	hand := func(addr string) {
		done := make(chan struct{})
		go func() { defer close(done); l.hand(&closing{host{addr: addr}, ended}) }()
		_, err := l.Accept()
		require.NoError(t, err)
		<-done
	}
	hand("10.0.0.2:1")
	for i := range maxRaftConns + 5 {
		hand(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.9"), uint16(i+1)).String())
	}
	require.Len(t, ended, 6)
	require.Equal(t, "10.0.0.9:1", <-ended, "the oldest of the loudest")
	require.NoError(t, l.Close())
}

// closing tells that it was closed.
type closing struct {
	host
	ended chan string
}

func (c *closing) Close() error {
	select {
	case c.ended <- c.addr:
	default:
	}
	return nil
}

// A client that was handed out a moment ago is not closed, however many addresses there are: its caller may not have called yet.
func TestPool_KeepsWhatWasJustHandedOut(t *testing.T) {
	p := NewPool(ClientConfig{})
	defer func() { require.NoError(t, p.Close()) }()
	first := p.Get("10.0.0.1:1")
	for i := range 2 * maxClients {
		p.Get(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.9"), uint16(i+1)).String())
	}
	require.Same(t, first, p.Get("10.0.0.1:1"))
	for _, known := range p.clients {
		known.at = known.at.Add(-2 * handedOut)
	}
	p.Get("10.0.0.3:1")
	require.Len(t, p.clients, 1, "what nobody uses is forgotten")
}
