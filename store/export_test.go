package store

import "github.com/hashicorp/raft"

// Seams is what tests may put under the watchdog.
type Seams struct {
	Log    func(raft.LogStore) raft.LogStore
	Stable func(raft.StableStore) raft.StableStore
	Spill  int
}

// OpenWithSeams is Open with them.
func OpenWithSeams(o Options, s Seams) (*Store, error) {
	return open(o, seams{log: s.Log, stable: s.Stable, spill: s.Spill})
}
