// Package lobby bounds the connections of which a node does not know yet whether they come from a member of its cluster.
package lobby

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
)

// Lobby holds connections. For one more than its bound, the oldest connection of the source that has the most goes. So a source that
// floods a port displaces its own connections, and a node that connects has time to say who it is.
type Lobby struct {
	max int

	mu      sync.Mutex
	guests  map[net.Conn]*guest // guarded by mu
	sources map[netip.Addr]int  // guarded by mu: how many guests each has
	arrived uint64              // guarded by mu: how many guests there were
}

type guest struct {
	source netip.Addr
	number uint64 // in the order of arrival
}

// New returns a lobby for so many connections.
func New(most int) *Lobby {
	return &Lobby{max: most, guests: make(map[net.Conn]*guest), sources: make(map[netip.Addr]int)}
}

// Enter admits a connection. displaced, if not nil, has left for it and must be closed.
func (l *Lobby) Enter(conn net.Conn) (displaced net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.guests) >= l.max {
		displaced = l.oldestOfTheLoudestLocked()
		l.leaveLocked(displaced)
	}
	g := &guest{source: SourceOf(conn), number: l.arrived}
	l.arrived++
	l.guests[conn] = g
	l.sources[g.source]++
	return displaced
}

// Leave forgets a connection. It reports false if that was displaced, or never here.
func (l *Lobby) Leave(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leaveLocked(conn)
}

func (l *Lobby) leaveLocked(conn net.Conn) bool {
	g := l.guests[conn]
	if g == nil {
		return false
	}
	delete(l.guests, conn)
	if l.sources[g.source]--; l.sources[g.source] == 0 {
		delete(l.sources, g.source)
	}
	return true
}

func (l *Lobby) oldestOfTheLoudestLocked() (oldest net.Conn) {
	most := 0
	for _, count := range l.sources {
		most = max(most, count)
	}
	for conn, g := range l.guests {
		if l.sources[g.source] == most && (oldest == nil || g.number < l.guests[oldest].number) {
			oldest = conn
		}
	}
	return oldest
}

// CloseAll closes all guests.
func (l *Lobby) CloseAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.guests {
		_ = conn.Close()
	}
}

// Len returns how many connections are here.
func (l *Lobby) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.guests)
}

// SourceOf returns the host that a connection comes from: of IPv6 the network of 64 bits, because one host may have all of its addresses.
func SourceOf(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().Unmap()
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

// Abort closes a connection at once. TLS would wait to say goodbye to a peer that does not read.
func Abort(conn net.Conn) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	_ = conn.Close()
}
