package gossip

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
)

// transport is memberlist's network transport with outgoing connections that end with ctx. An address that does not answer a join must
// not delay Close.
type transport struct {
	*memberlist.NetTransport
	ctx context.Context
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// newTransport binds to addr. With port 0 it tries several times: the UDP port with the number of the TCP port may be in use.
func newTransport(ctx context.Context, addr *net.TCPAddr, conf *memberlist.Config) (*transport, error) {
	attempts := 1
	if addr.Port == 0 {
		attempts = 10
	}
	var err error
	for range attempts {
		var t *memberlist.NetTransport
		t, err = memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{addr.IP.String()},
			BindPort:  addr.Port,
			Logger:    conf.Logger,
		})
		if err == nil {
			return &transport{NetTransport: t, ctx: ctx}, nil
		}
	}
	return nil, fmt.Errorf("gossip: bind %s: %w", addr, err)
}

// DialTimeout implements memberlist.Transport.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(t.ctx, "tcp", a.Addr)
	if err != nil {
		return nil, err
	}
	c := &boundConn{Conn: conn}
	c.stop = context.AfterFunc(t.ctx, func() { _ = conn.Close() })
	return c, nil
}

// boundConn is a connection that ends with a context.
type boundConn struct {
	net.Conn
	stop func() bool
}

// Close closes the connection.
func (c *boundConn) Close() error {
	c.stop()
	return c.Conn.Close()
}
