package drill

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/wire"
)

// Fault is one way to hurt a cluster.
type Fault string

// The faults. A pause is SIGSTOP: the process keeps its connections and wakes up believing that no time has passed.
const (
	KillRandom  Fault = "kill"
	KillLeader  Fault = "kill-leader"
	KillAll     Fault = "kill-all"
	PauseLeader Fault = "pause-leader"
)

// Faults are all of them, in the weights a drill uses unless told otherwise.
func Faults() []Fault {
	return []Fault{KillRandom, KillLeader, KillLeader, KillAll, PauseLeader}
}

// ParseFault reads the name of a fault.
func ParseFault(name string) (Fault, error) {
	if fault := Fault(name); slices.Contains(Faults(), fault) {
		return fault, nil
	}
	return "", fmt.Errorf("unknown fault %q; one of kill, kill-leader, kill-all, pause-leader", name)
}

// nemesis hurts the cluster until its context ends. It leaves some nodes down; healing is the drill's.
type nemesis struct {
	cluster Cluster
	random  *rand.Rand
	faults  []Fault
	watch   *watch
	log     io.Writer
	started time.Time

	done  map[Fault]int
	kills int
}

func (n *nemesis) run(ctx context.Context) error {
	n.done = map[Fault]int{}
	// Every kind comes at least once in a long enough run: shuffled rounds instead of independent draws.
	for ctx.Err() == nil {
		round := slices.Clone(n.faults)
		n.random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		for _, fault := range round {
			if !n.wait(ctx, 600, 2200) {
				return nil
			}
			if err := n.strike(ctx, fault); err != nil {
				return err
			}
		}
	}
	return nil
}

// wait returns false when the run ended meanwhile.
func (n *nemesis) wait(ctx context.Context, fromMillis, toMillis int) bool {
	timer := time.NewTimer(time.Duration(fromMillis+n.random.IntN(toMillis-fromMillis)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (n *nemesis) strike(ctx context.Context, fault Fault) error {
	victim := n.random.IntN(n.cluster.Size()) // drawn in any case, so that the seed decides the same things in every run
	if fault == KillLeader || fault == PauseLeader {
		if leader, known := n.watch.leader(); known {
			victim = leader
		}
	}
	n.done[fault]++
	_, _ = fmt.Fprintf(n.log, "%6.2fs %s node %d\n", time.Since(n.started).Seconds(), fault, victim)
	switch fault {
	case PauseLeader:
		if err := n.cluster.Pause(victim); err != nil {
			return fmt.Errorf("pause node %d: %w", victim, err)
		}
		n.wait(ctx, 500, 3000)
		return n.cluster.Resume(victim)
	case KillAll:
		n.cluster.KillAll()
		n.kills += n.cluster.Size()
		n.wait(ctx, 10, 800)
		return n.startInTurn(ctx)
	default:
		n.cluster.Kill(victim)
		n.kills++
		n.wait(ctx, 10, 1500)
		return n.cluster.Start(victim)
	}
}

// startInTurn starts all nodes with random distances, in random order.
func (n *nemesis) startInTurn(ctx context.Context) error {
	for _, i := range n.random.Perm(n.cluster.Size()) {
		if err := n.cluster.Start(i); err != nil {
			return err
		}
		n.wait(ctx, 1, 300)
	}
	return nil
}

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
