// Package handshakes bounds how many TLS handshakes of one host may fail. Each costs the server a signature.
package handshakes

import (
	"net/netip"
	"sync"
	"time"
)

// maxHosts bounds the memory of a second. Beyond it, no other host is noted.
const maxHosts = 4096

// Failures counts the failed handshakes of the present second by host. This machine is not counted: whoever runs on it can burn its processors
// anyway, and a proxy on it has one address for all its clients.
type Failures struct {
	Most     int  // of a host in a second; 0: any number
	Networks bool // of IPv6, a network of 64 bits is one host: a stranger may have all of its addresses
	Local    bool // this machine counts, for tests

	mu     sync.Mutex
	second int64              // guarded by mu
	failed map[netip.Addr]int // guarded by mu
}

// host is what is counted of HOST:PORT.
func (f *Failures) host(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	host := at.Addr().Unmap().WithZone("")
	if f.Networks && host.Is6() && !host.IsLoopback() {
		if network, err := host.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return host
}

// Allows reports whether a host, at HOST:PORT, may make one more handshake.
func (f *Failures) Allows(remote string, now time.Time) bool {
	host := f.host(remote)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Most == 0 || now.Unix() != f.second || f.failed[host] < f.Most
}

// Note counts a failed handshake of a host, at HOST:PORT.
func (f *Failures) Note(remote string, now time.Time) {
	host := f.host(remote)
	if host.IsLoopback() && !f.Local {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if second := now.Unix(); second != f.second || f.failed == nil {
		f.second, f.failed = second, make(map[netip.Addr]int)
	}
	if f.failed[host] > 0 || len(f.failed) < maxHosts {
		f.failed[host]++
	}
}
