package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below the usual ephemeral range: a port taken from that range may become the local end of some other
// connection while its node is down, and the node could not start again.
const (
	firstPort = 12000
	lastPort  = 31999
)

// FreeAddrs finds loopback addresses on which nothing listens, for TCP and UDP. Nothing reserves them afterwards; two
// processes that look at the same time collide only by chance, since each draws at random.
func FreeAddrs(count int) ([]string, error) {
	var addrs []string
	taken := map[int]bool{}
	for range 200 * count {
		if len(addrs) == count {
			return addrs, nil
		}
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		if !taken[port] && isFree(addr) {
			taken[port] = true
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == count {
		return addrs, nil
	}
	return nil, errors.New("no free loopback ports")
}

func isFree(addr string) bool {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer listener.Close()
	packets, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return packets.Close() == nil
}
