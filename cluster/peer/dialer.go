package peer

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Dialer opens connections to the peer port of other nodes. The zero value
// dials plain TCP.
type Dialer struct {
	// Dial replaces the TCP dial, for tests that cut links. It must return
	// soon after ctx is done.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// TLS, if set, makes every connection a TLS one with the settings that it
	// returns. Without a ServerName the host part of the dialled address is
	// verified.
	TLS func() *tls.Config
	// NodeID, if set, is this node's. Every connection for calls announces it.
	NodeID string
}

// Nowhere stands for the address of a node that has none: another node uses the one that it had. Nothing is dialled for it.
const Nowhere = "nowhere:0"

// nowhereError is why a connection to Nowhere fails. Like a refused connection it proves that the node is not there.
type nowhereError struct{}

func (nowhereError) Error() string {
	return "the node has no address: another node uses the one that it had"
}
func (nowhereError) Unwrap() error { return syscall.ECONNREFUSED }

// DialCalls opens a connection for a [Client].
func (d Dialer) DialCalls(ctx context.Context, addr string) (net.Conn, error) {
	return d.dial(ctx, addr, protocolCall.preamble())
}

func (d Dialer) dial(ctx context.Context, addr string, preamble []byte) (net.Conn, error) {
	if addr == Nowhere {
		return nil, nowhereError{}
	}
	conn, err := d.dialStream(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("peer: dial %s: %w", addr, err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := conn.Write(preamble); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("peer: dial %s: write preamble: %w", addr, err)
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, nil
}

func (d Dialer) dialStream(ctx context.Context, addr string) (net.Conn, error) {
	raw, err := d.dialRaw(ctx, addr)
	if err != nil {
		return nil, err
	}
	tune(raw)
	if d.TLS == nil {
		return raw, nil
	}
	conf := d.TLS()
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		conf = conf.Clone()
		conf.ServerName = host
	}
	conn := tls.Client(raw, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}

func (d Dialer) dialRaw(ctx context.Context, addr string) (net.Conn, error) {
	if d.Dial != nil {
		return d.Dial(ctx, addr)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}

// tune sets the options of every peer connection. Small frames leave at once.
// An idle connection to a dead host ends within about half a minute.
func tune(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tcp.SetNoDelay(true)
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable:   true,
		Idle:     15 * time.Second,
		Interval: 5 * time.Second,
		Count:    3,
	})
}
