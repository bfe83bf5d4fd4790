package gossip

import (
	"errors"
	"sync"
	"time"
)

// A cluster has seven nodes, and few come and go. Without a key anybody may announce members, and each takes memory, probes and log lines.
const (
	// maxAlive is how many members may be alive at a time.
	maxAlive = 256
	// maxNewcomers is how many unknown members are taken at once; afterwards one in each newcomerInterval.
	maxNewcomers     = 256
	newcomerInterval = time.Second
)

var errTooMany = errors.New("gossip: more than a cluster has")

// newcomers bounds how many unknown members are taken. The zero value is ready for use.
type newcomers struct {
	mu    sync.Mutex
	until time.Time // guarded by mu: when all of maxNewcomers are free again
}

func (n *newcomers) take(now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.until.Before(now) {
		n.until = now
	}
	if n.until.Sub(now) > (maxNewcomers-1)*newcomerInterval {
		return errTooMany
	}
	n.until = n.until.Add(newcomerInterval)
	return nil
}
