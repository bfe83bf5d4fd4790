package drill

import (
	"context"
	"time"

	"github.com/creditd/creditd/scripts/chaos/wire"
)

// watch follows who leads.
type watch struct {
	cluster Cluster
	client  *wire.Client
	rootKey string
	current chan watched // holds the latest value
}

type watched struct {
	leader  int // -1: none seen
	term    uint64
	changes int
}

func newWatch(cluster Cluster, rootKey string) *watch {
	w := &watch{cluster: cluster, rootKey: rootKey, client: wire.NewClient(rootKey, time.Second), current: make(chan watched, 1)}
	w.current <- watched{leader: -1}
	return w
}

// leader is the node that led when last asked.
func (w *watch) leader() (int, bool) {
	seen := <-w.current
	w.current <- seen
	return seen.leader, seen.leader >= 0
}

func (w *watch) changes() int {
	seen := <-w.current
	w.current <- seen
	return seen.changes
}

func (w *watch) run(ctx context.Context) {
	defer w.client.Close()
	ticker := time.NewTicker(150 * time.Millisecond)
	defer ticker.Stop()
	for {
		w.look()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look asks nodes until one names a leader of a term not older than the one already seen.
func (w *watch) look() {
	for i := range w.cluster.Size() {
		status, err := w.client.Status(w.cluster.HTTPAddr(i))
		if err != nil || status.LeaderID == "" {
			continue
		}
		addr := status.LeaderAddr()
		for leader := range w.cluster.Size() {
			if w.cluster.HTTPAddr(leader) == addr && w.note(leader, status.Term) {
				return
			}
		}
	}
}

func (w *watch) note(leader int, term uint64) bool {
	seen := <-w.current
	defer func() { w.current <- seen }()
	if term < seen.term {
		return false
	}
	if term > seen.term && seen.term > 0 {
		seen.changes++
	}
	seen.leader, seen.term = leader, term
	return true
}
