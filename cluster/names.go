package cluster

import "sync"

// names remembers what the nodes are called, for those that do not answer any more.
type names struct {
	mu sync.Mutex
	of map[string]string // by node id; guarded by mu
}

// fill learns the names of the nodes that answered, gives the others theirs, and forgets the rest.
func (n *names) fill(nodes map[string]*NodeStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := make(map[string]string, len(nodes))
	for id, s := range nodes {
		if !s.Answered && s.Name == "" {
			s.Name = n.of[id]
		}
		known[id] = s.Name
	}
	n.of = known
}
