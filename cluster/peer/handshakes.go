package peer

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxFailedHandshakes is how many TLS handshakes of one host may fail in a second. Each costs signatures; a member's never fails.
	maxFailedHandshakes = 50
	// maxFailingHosts bounds the memory of a second. Beyond it, no other host is noted.
	maxFailingHosts = 4096
)

var errHandshakes = errors.New("peer: too many TLS handshakes of this host failed")

// handshakes counts the failed TLS handshakes of the present second by host. This machine is not counted: all nodes of a test cluster share its
// address, and whoever runs on it can burn its processors anyway.
type handshakes struct {
	mu     sync.Mutex
	second int64              // guarded by mu
	failed map[netip.Addr]int // guarded by mu
}

// hostOf is one address, also of IPv6: members are often in one network of 64 bits, and a stranger in it must not silence them.
func hostOf(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

func (h *handshakes) allows(conn net.Conn, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Unix() != h.second || h.failed[hostOf(conn)] < maxFailedHandshakes
}

func (h *handshakes) fail(conn net.Conn, now time.Time) {
	source := hostOf(conn)
	if source.IsLoopback() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if second := now.Unix(); second != h.second || h.failed == nil {
		h.second, h.failed = second, make(map[netip.Addr]int)
	}
	if h.failed[source] > 0 || len(h.failed) < maxFailingHosts {
		h.failed[source]++
	}
}
