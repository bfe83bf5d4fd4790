package gossip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/go-sockaddr"
	"github.com/hashicorp/memberlist"

	"github.com/creditd/creditd/cluster/lobby"
)

// maxStreams bounds the connections from other nodes that are served at a time. Each lasts for a moment.
const maxStreams = 64

// transport is a network transport for memberlist. Its own one allocates 64 KiB for each packet before anybody knows whose it is: in a flood
// the garbage collector took more than everything else. And memberlist sees only what checkPacket and checkStream let through.
type transport struct {
	ctx     context.Context // outgoing connections end with it: an address that does not answer a join must not delay Close
	log     *log.Logger
	keyed   bool
	refuse  func(from net.Addr, err error)
	tcp     *net.TCPListener
	udp     *net.UDPConn
	guests  *lobby.Lobby
	packets chan *memberlist.Packet
	streams chan net.Conn
	down    chan struct{} // closed by Shutdown
	pumps   sync.WaitGroup
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// newTransport binds to addr. With port 0 it tries several times: the UDP port with the number of the TCP port may be in use.
func newTransport(ctx context.Context, addr *net.TCPAddr, conf *memberlist.Config, refuse func(net.Addr, error)) (*transport, error) {
	attempts := 1
	if addr.Port == 0 {
		attempts = 10
	}
	t := &transport{
		ctx: ctx, log: conf.Logger, keyed: len(conf.SecretKey) > 0, refuse: refuse, guests: lobby.New(maxStreams),
		packets: make(chan *memberlist.Packet), streams: make(chan net.Conn), down: make(chan struct{}),
	}
	var err error
	for range attempts {
		if err = t.bind(addr); err == nil {
			t.pumps.Go(t.pumpPackets)
			t.pumps.Go(t.pumpStreams)
			return t, nil
		}
	}
	return nil, fmt.Errorf("gossip: bind %s: %w", addr, err)
}

func (t *transport) bind(addr *net.TCPAddr) (err error) {
	if t.tcp, err = net.ListenTCP("tcp", addr); err != nil {
		return err
	}
	if t.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: addr.IP, Port: t.port()}); err != nil {
		_ = t.tcp.Close()
		return err
	}
	_ = t.udp.SetReadBuffer(receiveBuffer) // the system gives less if it must
	return nil
}

// receiveBuffer is what may have arrived and is not read yet.
const receiveBuffer = 2 << 20

// port is the port of TCP and UDP.
func (t *transport) port() int { return t.tcp.Addr().(*net.TCPAddr).Port }

// FinalAdvertiseAddr implements memberlist.Transport. Without an address it is the one that the port is bound to, or a private one of this
// machine.
func (t *transport) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	bound := t.tcp.Addr().(*net.TCPAddr)
	if ip == "" && !bound.IP.IsUnspecified() {
		return bound.IP, bound.Port, nil
	}
	if ip == "" {
		private, err := sockaddr.GetPrivateIP()
		if err != nil {
			return nil, 0, fmt.Errorf("gossip: find the address of this machine: %w", err)
		}
		ip, port = private, bound.Port
	}
	advertised := net.ParseIP(ip)
	if advertised == nil {
		return nil, 0, errors.New("gossip: this machine has no private address: set AdvertiseAddr")
	}
	return advertised, port, nil
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown implements memberlist.Transport.
func (t *transport) Shutdown() error {
	close(t.down)
	err := errors.Join(t.tcp.Close(), t.udp.Close())
	t.pumps.Wait()
	t.guests.CloseAll()
	return err
}

// retry reports whether to go on after an error of a socket, which is logged: until Shutdown it may have room for the next one.
func (t *transport) retry(err error) bool {
	select {
	case <-t.down:
		return false
	default:
	}
	t.log.Printf("[ERR] gossip: receive: %v", err)
	select {
	case <-t.down:
		return false
	case <-time.After(10 * time.Millisecond):
		return true
	}
}

// pumpPackets reads all packets into one buffer. Only those that memberlist sees are copied.
func (t *transport) pumpPackets() {
	var budget packetBudget
	buf := make([]byte, 64<<10)
	for {
		n, from, err := t.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			if !t.retry(err) {
				return
			}
			continue
		}
		p, err := t.admit(&budget, buf[:n], from, time.Now())
		if err != nil {
			t.refuse(net.UDPAddrFromAddrPort(from), err)
			continue
		}
		select {
		case t.packets <- p:
		case <-t.ctx.Done():
		case <-t.down:
			return
		}
	}
}

// admit checks a packet, counts what it costs, and returns a copy of it for memberlist.
func (t *transport) admit(budget *packetBudget, packet []byte, from netip.AddrPort, now time.Time) (*memberlist.Packet, error) {
	host := hostOfPacket(from)
	if !budget.allows(host, now) {
		return nil, errFlood
	}
	plain, err := checkPacket(packet, t.keyed)
	if !errors.Is(err, errLong) { // it cost nothing, and others can send it in a member's name
		budget.note(host, err == nil, maxUnpackedBytes)
	}
	if err != nil {
		return nil, err
	}
	return &memberlist.Packet{Buf: bytes.Clone(plain), From: net.UDPAddrFromAddrPort(from), Timestamp: now}, nil
}

func (t *transport) pumpStreams() {
	for {
		conn, err := t.tcp.AcceptTCP()
		if err != nil {
			if !t.retry(err) {
				return
			}
			continue
		}
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
			return
		}
	}
}

// WriteTo implements memberlist.Transport.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return time.Time{}, err
	}
	_, err = t.udp.WriteTo(b, to)
	return time.Now(), err
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	return t.WriteTo(b, a.Addr)
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
