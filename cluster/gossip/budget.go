package gossip

import (
	"errors"
	"net/netip"
	"time"
)

const (
	// maxPacketsPerSecond is how many packets of one host are read in a second: several times what seven nodes on one machine send. A flood
	// costs little more than its arrival then.
	maxPacketsPerSecond = 1000
	// maxSources bounds the memory of a second.
	maxSources = 4096
	// maxRefused is how many packets of a host may fail in a second, until no more of it are read. One that a packet was taken from, in this
	// second or the one before, may fail more often: others can send in its name.
	maxRefused      = 32
	maxRefusedKnown = 100
	// maxRefusedBytes bounds what packets that fail are unpacked to in a second. Beyond it only hosts are read that packets were taken from.
	maxRefusedBytes = 4 << 20
)

var errFlood = errors.New("gossip: too many packets from one host")

// packetBudget counts the packets of the present second by host. One goroutine uses it.
type packetBudget struct {
	second        int64
	counts        map[netip.Addr]int
	refused       map[netip.Addr]int
	refusedBytes  int                 // of all hosts
	taken, before map[netip.Addr]bool // hosts that packets were taken from, in this second and the one before
}

// hostOfPacket is the host that packets are counted by.
func hostOfPacket(from netip.AddrPort) netip.Addr {
	host := from.Addr().Unmap()
	if host.Is6() {
		if network, err := host.Prefix(64); err == nil { // one host may have all addresses of it
			host = network.Addr()
		}
	}
	return host
}

func (b *packetBudget) allows(host netip.Addr, at time.Time) bool {
	if second := at.Unix(); second != b.second || b.counts == nil {
		b.before = nil
		if second == b.second+1 {
			b.before = b.taken
		}
		b.second, b.counts, b.refused, b.refusedBytes, b.taken = second, make(map[netip.Addr]int), make(map[netip.Addr]int), 0, make(map[netip.Addr]bool)
	}
	known := b.taken[host] || b.before[host]
	if !known && (b.refused[host] >= maxRefused || b.refusedBytes >= maxRefusedBytes) || b.refused[host] >= maxRefusedKnown {
		return false
	}
	if len(b.counts) >= maxSources && b.counts[host] == 0 {
		return false
	}
	b.counts[host]++
	return b.counts[host] <= maxPacketsPerSecond
}

// note says what became of a packet that was read. bytes is what it was unpacked to.
func (b *packetBudget) note(host netip.Addr, taken bool, bytes int) {
	if taken {
		b.taken[host] = true // not more than there are counts
		return
	}
	b.refused[host]++
	b.refusedBytes += bytes
}
