package drill

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/wire"
	"github.com/creditd/creditd/store/failpoint"
)

// nemesis hurts the cluster until its context ends. It leaves some nodes down; healing is the drill's.
type nemesis struct {
	cluster Cluster
	random  *rand.Rand
	faults  []Fault
	watch   *watch
	client  *wire.Client
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
			if !n.wait(ctx, 400, 1800) {
				return nil
			}
			if err := n.strike(ctx, fault); err != nil {
				return fmt.Errorf("%s: %w", fault, err)
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
	switch fault {
	case KillLeader, PauseLeader, IsolateLeader, SlowDisk:
		if leader, known := n.watch.leader(); known {
			victim = leader
		}
	case FullDisk:
		victim = 0
	}
	n.done[fault]++
	_, _ = fmt.Fprintf(n.log, "%6.2fs %s node %d\n", time.Since(n.started).Seconds(), fault, victim)
	switch fault {
	case PauseRandom, PauseLeader:
		return n.pause(ctx, victim)
	case KillAll:
		n.cluster.KillAll()
		n.kills += n.cluster.Size()
		n.wait(ctx, 10, 800)
		return n.startInTurn(ctx)
	case IsolateLeader, CutLink, OneWay, Delay:
		return n.disconnect(ctx, fault, victim)
	case Transfer:
		n.transfer(victim)
		return nil
	case Restart:
		return n.restartInTurn(ctx)
	case FullDisk:
		return n.fillDisk(ctx)
	case SlowDisk:
		delay := time.Duration(20+n.random.IntN(480)) * time.Millisecond
		return n.plant(ctx, victim, "failpoints", fmt.Sprintf("%s=sleep(%v)+", failpoint.LogBeforeStore, delay), 500, 4000)
	case HungDisk:
		return n.doom(ctx, victim, fmt.Sprintf("%s=sleep(1h)", failpoint.LogBeforeStore), 500, 7000)
	case CrashPoint:
		points := failpoint.All()
		return n.doom(ctx, victim, fmt.Sprintf("%s=kill@%d", points[n.random.IntN(len(points))], 1+n.random.IntN(3)), 300, 2500)
	case Clock:
		jumps := []string{"+1h", "-1h", "+8760h", "-8760h", "+800ms", "-800ms", "frozen"}
		return n.plant(ctx, victim, "clock", jumps[n.random.IntN(len(jumps))], 300, 4000)
	default:
		n.cluster.Kill(victim)
		n.kills++
		n.wait(ctx, 10, 1500)
		return n.cluster.Start(victim)
	}
}

// maxPause is how long a process is frozen at most; most pauses are far shorter.
const maxPause = 10 * time.Second

func (n *nemesis) pause(ctx context.Context, victim int) error {
	if err := n.cluster.Pause(victim); err != nil {
		return err
	}
	share := n.random.Float64()
	millis := 100 + int(share*share*share*float64(maxPause.Milliseconds()-100))
	n.wait(ctx, millis, millis+1)
	return n.cluster.Resume(victim)
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

// disconnect hurts links for a while, and now and then a node meanwhile.
func (n *nemesis) disconnect(ctx context.Context, fault Fault, victim int) error {
	between, other := n.cluster.Links(), (victim+1+n.random.IntN(n.cluster.Size()-1))%n.cluster.Size()
	outward := n.random.IntN(2) == 0
	for i := range n.cluster.Size() {
		switch {
		case fault == Delay:
			for j := range n.cluster.Size() {
				delay := time.Duration(n.random.IntN(200)) * time.Millisecond
				between.Delay(i, j, delay, 50*time.Millisecond)
			}
		case i == victim || fault == CutLink && i != other:
		default:
			if fault != OneWay || outward {
				between.Block(victim, i)
			}
			if fault != OneWay || !outward {
				between.Block(i, victim)
			}
		}
	}
	n.wait(ctx, 300, 2500)
	var err error
	switch n.random.IntN(5) {
	case 0:
		n.cluster.Kill(other)
		n.kills++
		n.wait(ctx, 10, 800)
		err = n.cluster.Start(other)
	case 1:
		n.transfer(other)
	}
	n.wait(ctx, 100, 1500)
	between.Heal()
	return err
}

// transfer asks the leader to hand over to a node. That may fail, as everything may here.
func (n *nemesis) transfer(to int) {
	leader, known := n.watch.leader()
	if !known {
		return
	}
	status, err := n.client.Status(n.cluster.HTTPAddr(leader))
	if err != nil {
		return
	}
	for _, node := range status.Nodes {
		if node.HTTPAddr == n.cluster.HTTPAddr(to) {
			answer := n.client.Call(n.cluster.HTTPAddr(leader), "cluster.transferLeadership", map[string]any{"nodeId": node.NodeID}, nil)
			_, _ = fmt.Fprintf(n.log, "%6.2fs transfer to node %d: %v\n", time.Since(n.started).Seconds(), to, answer.Fate)
		}
	}
}

// Limits of a rolling restart: an operator waits for each node before the next, but not for ever.
const (
	stopGrace  = 20 * time.Second
	readyGrace = 5 * time.Second
)

func (n *nemesis) restartInTurn(ctx context.Context) error {
	for _, i := range n.random.Perm(n.cluster.Size()) {
		if ctx.Err() != nil {
			return nil
		}
		if err := n.cluster.Stop(i, stopGrace); err != nil {
			return err
		}
		if err := n.cluster.Start(i); err != nil {
			return err
		}
		ready, cancel := context.WithTimeout(ctx, readyGrace)
		_ = n.cluster.AwaitNode(ready, i) // a node that does not come back shows when the cluster is healed
		cancel()
	}
	return nil
}

// plant makes a node suffer something for a while.
func (n *nemesis) plant(ctx context.Context, victim int, what, text string, fromMillis, toMillis int) error {
	_, _ = fmt.Fprintf(n.log, "%6.2fs %s\n", time.Since(n.started).Seconds(), text)
	if err := n.cluster.Plant(victim, what, text); err != nil {
		return err
	}
	n.wait(ctx, fromMillis, toMillis)
	return n.cluster.Plant(victim, what, "")
}

// doom is plant for what a node may end of; it is started again in any case.
func (n *nemesis) doom(ctx context.Context, victim int, failpoints string, fromMillis, toMillis int) error {
	n.cluster.Excuse(victim, true)
	if err := n.plant(ctx, victim, "failpoints", failpoints, fromMillis, toMillis); err != nil {
		return err
	}
	n.cluster.Kill(victim)
	n.kills++
	n.wait(ctx, 10, 800)
	return n.cluster.Start(victim)
}

// fillDisk leaves node 0 next to no room for a while. It may end then, and is started again once there is room.
func (n *nemesis) fillDisk(ctx context.Context) error {
	if err := n.cluster.FillDisk(int64(n.random.IntN(256)) << 10); err != nil {
		return err
	}
	n.wait(ctx, 500, 4000)
	if err := n.cluster.FreeDisk(); err != nil {
		return err
	}
	n.wait(ctx, 100, 1000)
	if err := n.cluster.Start(0); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, readyGrace)
	defer cancel()
	if n.cluster.AwaitNode(ready, 0) == nil {
		n.cluster.Excuse(0, false)
	}
	return nil
}
