package launch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports below the usual ephemeral range. While a node is down, another connection could take a port of that range as its local end, and the
// node could not start again.
const (
	firstPort = 12000
	lastPort  = 31999
)

// given are the addresses that this process has handed out, so that tests that run at the same time do not meet.
var given sync.Map

// FreeAddrs finds loopback addresses on which nothing listens, for TCP and UDP. Nothing reserves them afterwards; two processes that
// look at the same time collide only by chance, since each draws at random.
func FreeAddrs(count int) ([]string, error) {
	var addrs []string
	for range 200 * (count + 1) {
		if len(addrs) == count {
			return addrs, nil
		}
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort+1))
		if _, taken := given.LoadOrStore(addr, true); !taken && isFree(addr) {
			addrs = append(addrs, addr)
		}
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
