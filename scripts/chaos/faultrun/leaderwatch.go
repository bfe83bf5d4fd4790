package faultrun

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// leaderWatch follows who leads.
type leaderWatch struct {
	cluster *launch.Cluster

	mu      sync.Mutex
	current int // node that led when last seen, -1 before that; guarded by mu
	term    uint64
	changed int
	led     []int // by node: in how many terms it was seen to lead; guarded by mu
}

func newLeaderWatch(cluster *launch.Cluster) *leaderWatch {
	return &leaderWatch{cluster: cluster, current: -1, led: make([]int, cluster.Size())}
}

// leader is the node that led when last asked.
func (w *leaderWatch) leader() (node int, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current, w.current >= 0
}

// seen returns how often leadership changed, and in how many terms each node led.
func (w *leaderWatch) seen() (changes int, led []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed, slices.Clone(w.led)
}

func (w *leaderWatch) run(ctx context.Context) {
	for launch.Pause(ctx, 150*time.Millisecond) == nil {
		w.mu.Lock()
		term := w.term
		w.mu.Unlock()
		if leader, status, err := w.cluster.FindLeader(ctx, term); err == nil { // nobody leads in between
			w.note(leader, status.Term)
		}
	}
}

func (w *leaderWatch) note(leader int, term uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if term > w.term {
		if w.term > 0 {
			w.changed++
		}
		w.led[leader]++
	}
	w.current, w.term = leader, term
}
