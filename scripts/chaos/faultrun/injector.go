package faultrun

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/store/failpoint"
)

// injector injects faults until its context ends. It leaves some nodes down; the run repairs that.
type injector struct {
	cluster *launch.Cluster
	random  *rand.Rand
	faults  []Fault
	more    map[Fault]Injection
	watch   *leaderWatch
	log     io.Writer
	started time.Time
	// patience is how long a node that lost its data may take until it is ready.
	patience time.Duration

	done     map[Fault]int
	kills    int
	replaced int // nodes that lost their data and were ready again
}

func (in *injector) run(ctx context.Context) error {
	// Every kind comes at least once in a long enough run: shuffled rounds instead of independent draws.
	for ctx.Err() == nil {
		round := slices.Clone(in.faults)
		in.random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		for _, fault := range round {
			if !in.wait(ctx, 400, 1800) {
				return nil
			}
			if err := in.inject(ctx, fault); err != nil {
				return fmt.Errorf("%s: %w", fault, err)
			}
		}
	}
	return nil
}

// wait returns false when the run ended meanwhile.
func (in *injector) wait(ctx context.Context, fromMillis, toMillis int) bool {
	return launch.Pause(ctx, time.Duration(fromMillis+in.random.IntN(toMillis-fromMillis))*time.Millisecond) == nil
}

func (in *injector) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(in.log, "%6.2fs "+format+"\n", append([]any{time.Since(in.started).Seconds()}, args...)...)
}

func (in *injector) inject(ctx context.Context, fault Fault) error {
	victim := in.random.IntN(in.cluster.Size()) // drawn in any case, so that the seed decides the same things in every run
	switch fault {
	case KillLeader, PauseLeader, IsolateLeader, SlowDisk:
		if leader, known := in.watch.leader(); known {
			victim = leader
		}
	case FullDisk:
		victim = 0
	}
	in.done[fault]++
	in.logf("%s node %d", fault, victim)
	switch fault {
	case PauseRandom, PauseLeader:
		return in.pause(ctx, victim)
	case KillAll:
		in.cluster.KillAll()
		in.kills += in.cluster.Size()
		in.wait(ctx, 10, 800)
		return in.startInTurn(ctx)
	case IsolateLeader, CutLink, OneWay, Delay:
		return in.disconnect(ctx, fault, victim)
	case Transfer:
		in.transfer(ctx, victim)
		return nil
	case Restart:
		return in.restartInTurn(ctx)
	case Replace:
		return in.replaceInTurn(ctx, in.done[Replace]-1)
	case FullDisk:
		return in.fillDisk(ctx)
	case SlowDisk:
		delay := time.Duration(20+in.random.IntN(480)) * time.Millisecond
		return in.writeFaultFile(ctx, victim, "failpoints", fmt.Sprintf("%s=sleep(%v)+", failpoint.LogBeforeStore, delay), 500, 4000)
	case HungDisk:
		return in.armFailpoint(ctx, victim, fmt.Sprintf("%s=sleep(1h)", failpoint.LogBeforeStore), 500, 7000)
	case CrashPoint:
		points := failpoint.All()
		return in.armFailpoint(ctx, victim, fmt.Sprintf("%s=kill@%d", points[in.random.IntN(len(points))], 1+in.random.IntN(3)), 300, 2500)
	case Clock:
		jumps := []string{"+1h", "-1h", "+8760h", "-8760h", "+800ms", "-800ms", "frozen"}
		return in.writeFaultFile(ctx, victim, "clock", jumps[in.random.IntN(len(jumps))], 300, 4000)
	case KillRandom, KillLeader:
		in.kill(victim)
		in.wait(ctx, 10, 1500)
		return in.cluster.Start(victim)
	default:
		return in.more[fault](ctx, in.random)
	}
}

func (in *injector) kill(victim int) {
	in.cluster.Kill(victim)
	in.kills++
}

// maxPause is how long a process is frozen at most; most pauses are far shorter.
const maxPause = 10 * time.Second

func (in *injector) pause(ctx context.Context, victim int) error {
	if err := in.cluster.Pause(victim); err != nil {
		return err
	}
	share := in.random.Float64()
	millis := 100 + int(share*share*share*float64(maxPause.Milliseconds()-100))
	in.wait(ctx, millis, millis+1)
	return in.cluster.Resume(victim)
}

// startInTurn starts all nodes in random order, with random pauses.
func (in *injector) startInTurn(ctx context.Context) error {
	for _, i := range in.random.Perm(in.cluster.Size()) {
		if err := in.cluster.Start(i); err != nil {
			return err
		}
		in.wait(ctx, 1, 300)
	}
	return nil
}

// disconnect hurts links for a while, and sometimes a node meanwhile.
func (in *injector) disconnect(ctx context.Context, fault Fault, victim int) error {
	other := (victim + 1 + in.random.IntN(in.cluster.Size()-1)) % in.cluster.Size()
	outward := in.random.IntN(2) == 0
	for i := range in.cluster.Size() {
		switch {
		case fault == Delay:
			for j := range in.cluster.Size() {
				delay := time.Duration(in.random.IntN(200)) * time.Millisecond
				in.cluster.Delay(i, j, delay, 50*time.Millisecond)
			}
		case i == victim || fault == CutLink && i != other:
		default:
			if fault != OneWay || outward {
				in.cluster.Block(victim, i)
			}
			if fault != OneWay || !outward {
				in.cluster.Block(i, victim)
			}
		}
	}
	in.wait(ctx, 300, 2500)
	var err error
	switch in.random.IntN(5) {
	case 0:
		in.kill(other)
		in.wait(ctx, 10, 800)
		err = in.cluster.Start(other)
	case 1:
		in.transfer(ctx, other)
	}
	in.wait(ctx, 100, 1500)
	in.cluster.HealLinks()
	return err
}

// transfer asks the leader to transfer leadership to a node. That may fail, as everything may here.
func (in *injector) transfer(ctx context.Context, to int) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := in.cluster.Transfer(ctx, to); err != nil {
		in.logf("no transfer to node %d: %v", to, err)
	}
}

// readyTimeout is how long a rolling restart waits for each node before the next.
const readyTimeout = 5 * time.Second

func (in *injector) restartInTurn(ctx context.Context) error {
	for _, i := range in.random.Perm(in.cluster.Size()) {
		if ctx.Err() != nil {
			return nil
		}
		if err := in.cluster.Stop(i); err != nil {
			return err
		}
		if err := in.cluster.Start(i); err != nil {
			return err
		}
		ready, cancel := context.WithTimeout(ctx, readyTimeout)
		_ = in.cluster.AwaitNode(ready, i) // a node that does not come back shows in the repair
		cancel()
	}
	return nil
}

// writeFaultFile makes a node suffer something for a while.
func (in *injector) writeFaultFile(ctx context.Context, victim int, what, text string, fromMillis, toMillis int) error {
	in.logf("%s", text)
	if err := in.cluster.Inject(victim, what, text); err != nil {
		return err
	}
	in.wait(ctx, fromMillis, toMillis)
	return in.cluster.Inject(victim, what, "")
}

// armFailpoint is writeFaultFile for what a node may end of; it is started again in any case.
func (in *injector) armFailpoint(ctx context.Context, victim int, failpoints string, fromMillis, toMillis int) error {
	in.cluster.ExpectExit(victim, true)
	if err := in.writeFaultFile(ctx, victim, "failpoints", failpoints, fromMillis, toMillis); err != nil {
		return err
	}
	in.kill(victim)
	in.wait(ctx, 10, 800)
	return in.cluster.Start(victim)
}

// fillDisk leaves node 0 next to no space for a while. It may end then, and is started again once there is space.
func (in *injector) fillDisk(ctx context.Context) error {
	if err := in.cluster.FillDisk(int64(in.random.IntN(256)) << 10); err != nil {
		return err
	}
	in.wait(ctx, 500, 4000)
	if err := in.cluster.FreeDisk(); err != nil {
		return err
	}
	in.wait(ctx, 100, 1000)
	if err := in.cluster.Start(0); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if in.cluster.AwaitNode(ready, 0) == nil {
		in.cluster.ExpectExit(0, false)
	}
	return nil
}
