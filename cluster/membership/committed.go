package membership

import (
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// Committed passes the configurations that raft has committed on to Departures, in order. raft's own answer to what its configuration is may
// be taken back, and has no index.
type Committed struct {
	mu   sync.Mutex
	list [][]raft.Server // guarded by mu
}

// maxCommitted bounds what waits: a node without gossip takes nothing, and a start reports the whole log. The oldest go.
const maxCommitted = 256

// Add appends a configuration. It does not block: raft waits for it.
func (c *Committed) Add(servers []raft.Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) == maxCommitted {
		c.list = slices.Delete(c.list, 0, 1)
	}
	c.list = append(c.list, servers)
}

func (c *Committed) take() [][]raft.Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}
