package gossip

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// maxPacketsPerSecond is how many packets of one host are read in a second: several times what seven nodes on one machine send. A flood
	// costs little more than its arrival then.
	maxPacketsPerSecond = 1000
	// maxSources bounds the memory of a second.
	maxSources = 4096
)

var errFlood = errors.New("gossip: too many packets from one host")

// packetBudget counts the packets of the present second by host. One goroutine uses it.
type packetBudget struct {
	second int64
	counts map[netip.Addr]int
}

func (b *packetBudget) allows(from net.Addr, at time.Time) bool {
	if second := at.Unix(); second != b.second || b.counts == nil {
		b.second, b.counts = second, make(map[netip.Addr]int)
	}
	var host netip.Addr
	if udp, ok := from.(*net.UDPAddr); ok {
		host = udp.AddrPort().Addr().Unmap()
	}
	if host.Is6() {
		if network, err := host.Prefix(64); err == nil { // one host may have all addresses of it
			host = network.Addr()
		}
	}
	if len(b.counts) >= maxSources && b.counts[host] == 0 {
		return false
	}
	b.counts[host]++
	return b.counts[host] <= maxPacketsPerSecond
}
