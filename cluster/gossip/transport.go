package gossip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/creditd/creditd/cluster/lobby"
)

// maxStreams bounds the connections from other nodes that are served at a time. Each lasts for a moment.
const maxStreams = 64

// transport is memberlist's network transport with two changes. Outgoing connections end with ctx: an address that does not answer a join
// must not delay Close. And memberlist sees only what checkPacket and checkStream let through.
type transport struct {
	*memberlist.NetTransport
	ctx     context.Context
	keyed   bool
	refuse  func(from net.Addr, err error)
	guests  *lobby.Lobby
	packets chan *memberlist.Packet
	streams chan net.Conn
	down    chan struct{} // closed when NetTransport has ended
	pumps   sync.WaitGroup
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// newTransport binds to addr. With port 0 it tries several times: the UDP port with the number of the TCP port may be in use.
func newTransport(ctx context.Context, addr *net.TCPAddr, conf *memberlist.Config, refuse func(net.Addr, error)) (*transport, error) {
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
			return guarded(ctx, t, len(conf.SecretKey) > 0, refuse), nil
		}
	}
	return nil, fmt.Errorf("gossip: bind %s: %w", addr, err)
}

func guarded(ctx context.Context, inner *memberlist.NetTransport, keyed bool, refuse func(net.Addr, error)) *transport {
	t := &transport{
		NetTransport: inner, ctx: ctx, keyed: keyed, refuse: refuse, guests: lobby.New(maxStreams),
		packets: make(chan *memberlist.Packet), streams: make(chan net.Conn), down: make(chan struct{}),
	}
	t.pumps.Go(t.pumpPackets)
	t.pumps.Go(t.pumpStreams)
	return t
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown implements memberlist.Transport. Until NetTransport has ended, somebody must take what it delivers.
func (t *transport) Shutdown() error {
	err := t.NetTransport.Shutdown()
	close(t.down)
	t.pumps.Wait()
	t.guests.CloseAll()
	return err
}

func (t *transport) pumpPackets() {
	var budget packetBudget
	for {
		select {
		case p := <-t.NetTransport.PacketCh():
			if err := t.admit(&budget, p); err != nil {
				t.refuse(p.From, err)
				continue
			}
			select {
			case t.packets <- p:
			case <-t.ctx.Done():
			case <-t.down:
			}
		case <-t.down:
			return
		}
	}
}

// admit checks a packet, and counts what it costs.
func (t *transport) admit(budget *packetBudget, p *memberlist.Packet) error {
	if !budget.allows(p.From, p.Timestamp) {
		return errFlood
	}
	buf, err := checkPacket(p.Buf, t.keyed)
	if !errors.Is(err, errLong) { // it cost nothing, and others can send it in a member's name
		budget.note(p.From, err == nil, maxUnpackedBytes)
	}
	if err == nil {
		p.Buf = buf
	}
	return err
}

func (t *transport) pumpStreams() {
	for {
		select {
		case conn := <-t.NetTransport.StreamCh():
			if displaced := t.guests.Enter(conn); displaced != nil {
				t.refuse(displaced.RemoteAddr(), errTooMany)
				_ = displaced.Close()
			}
			guest := &boundConn{Conn: conn, keyed: t.keyed, leave: func() { t.guests.Leave(conn) }}
			select {
			case t.streams <- guest:
			case <-t.ctx.Done():
				_ = guest.Close()
			case <-t.down:
				_ = guest.Close()
			}
		case <-t.down:
			return
		}
	}
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
	stop := context.AfterFunc(t.ctx, func() { _ = conn.Close() })
	return &boundConn{Conn: conn, keyed: t.keyed, leave: func() { stop() }}, nil
}

// boundConn is a connection whose other end may send what checkStream lets through.
type boundConn struct {
	net.Conn
	keyed bool
	leave func()

	checked bool
	stream  io.Reader // nil: refused
	err     error     // why
}

// Read implements net.Conn. One goroutine reads.
func (c *boundConn) Read(b []byte) (int, error) {
	if !c.checked {
		c.stream, c.err = checkStream(c.Conn, c.keyed)
		c.checked = true
	}
	if c.err != nil {
		return 0, c.err
	}
	return c.stream.Read(b)
}

// Close closes the connection.
func (c *boundConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
