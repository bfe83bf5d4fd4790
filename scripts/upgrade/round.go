package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/scripts/chaos/failover"
	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/launch"
)

const (
	stepTimeout = 2 * time.Minute
	mixedStages = 2 // one node of the newer build, then two
)

// round is one cluster that is upgraded in one order.
type round struct {
	settings
	builds
	order    order
	seed     uint64
	logStore string
	share    time.Duration // of faults in each mixed stage
	dir      string
	log      io.Writer

	cluster   *launch.Cluster
	bench     *failover.Bench
	onNew     [nodes]bool
	annotated annotated
}

func (r *round) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.log, format+"\n", args...)
}

func (r *round) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	r.cluster, err = launch.StartCluster(ctx, launch.Options{
		Binary: r.old.binary, Dir: r.dir, Nodes: nodes, LogStore: r.logStore, Open: true, Links: true, Disk: true, Args: launch.SmallSnapshots,
	})
	if err != nil {
		return err
	}
	defer r.cluster.Close()
	r.bench = &failover.Bench{Cluster: r.cluster, Clients: r.clients, Steady: r.steady, Log: r.log}
	if err := r.bench.Setup(ctx); err != nil {
		return err
	}
	if err := r.awaitLedgerVersion(ctx, r.old.max); err != nil { // a ledger begins with the first one
		return err
	}
	for _, stage := range []func(context.Context) error{r.mix, r.rollBack, r.upgrade, r.writeNotes, r.checkRefusals, r.installSnapshot, r.finish} {
		if err := stage(ctx); err != nil {
			return errors.Join(err, errors.Join(r.cluster.Crashes()...))
		}
	}
	return nil
}

// mix upgrades one node, then a second one. In each stage a node of either build leads, and faults are injected.
func (r *round) mix(ctx context.Context) error {
	for stage, node := range r.order[:mixedStages] {
		if err := r.move(ctx, node, true); err != nil {
			return err
		}
		for _, leader := range []int{r.order[0], r.order[nodes-1]} { // of the newer build, and of the older
			if err := r.lead(ctx, leader); err != nil {
				return err
			}
			if err := r.refuseNotes(ctx); err != nil {
				return err
			}
		}
		if err := r.injectFaults(ctx, r.seed<<8+uint64(stage)); err != nil {
			return err
		}
		// The faults have exchanged builds. Not all nodes may have the newer one meanwhile, or the ledger version rises.
		for _, toNew := range []bool{false, true} {
			for i, other := range r.order {
				if toNew == (i <= stage) {
					if err := r.move(ctx, other, toNew); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// rollBack takes both upgraded nodes back to the older build.
func (r *round) rollBack(ctx context.Context) error {
	for _, node := range r.order[:mixedStages] {
		if err := r.move(ctx, node, false); err != nil {
			return err
		}
	}
	return nil
}

// upgrade upgrades all nodes in order. Node 0 leads until it is its turn.
func (r *round) upgrade(ctx context.Context) error {
	for _, node := range r.order {
		if !r.onNew[0] {
			if err := r.lead(ctx, 0); err != nil {
				return err
			}
		}
		if err := r.move(ctx, node, true); err != nil {
			return err
		}
	}
	return r.awaitLedgerVersion(ctx, r.new.max)
}

// move restarts a node with one of the builds while clients debit through all nodes. None of them may see an error.
func (r *round) move(ctx context.Context, node int, toNew bool) error {
	if r.onNew[node] == toNew {
		return nil
	}
	what := fmt.Sprintf("%d to old", node)
	if toNew {
		what = fmt.Sprintf("%d to new", node)
	}
	if err := r.converge(ctx); err != nil {
		return err
	}
	r.use(node, toNew)
	if _, err := r.bench.During(ctx, what, r.cluster.HTTPAddrs(), func() error { return r.bench.Restart(ctx, node) }); err != nil {
		return err
	}
	return r.check(ctx)
}

func (r *round) use(node int, toNew bool) {
	r.onNew[node] = toNew
	binary := r.old.binary
	if toNew {
		binary = r.new.binary
	}
	r.cluster.Use(node, binary)
}

// lead transfers leadership to a node while clients debit through all nodes. None of them may see an error.
func (r *round) lead(ctx context.Context, node int) error {
	if err := r.converge(ctx); err != nil {
		return err
	}
	if leader, _, err := r.cluster.FindLeader(ctx, 0); err == nil && leader == node {
		return nil
	}
	_, err := r.bench.During(ctx, fmt.Sprintf("%d to lead", node), r.cluster.HTTPAddrs(), func() error {
		ctx, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		return launch.Await(ctx, fmt.Sprintf("node %d to lead", node), func(ctx context.Context) error {
			leader, _, err := r.cluster.FindLeader(ctx, 0)
			if err != nil || leader == node {
				return err
			}
			return errors.Join(fmt.Errorf("node %d leads", leader), r.cluster.Transfer(ctx, node))
		})
	})
	if err != nil {
		return err
	}
	return r.check(ctx)
}

func (r *round) converge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	_, err := r.cluster.Converge(ctx)
	return err
}

// check checks after a step that no debit was lost or executed twice, that the nodes agree and that the ledger version is still low.
func (r *round) check(ctx context.Context) error {
	if err := r.bench.CheckBalance(ctx); err != nil {
		return err
	}
	if err := r.converge(ctx); err != nil {
		return err
	}
	if r.onNew == [nodes]bool{true, true, true} {
		return nil
	}
	return r.checkLedgerVersion(ctx, r.old.max)
}

func (r *round) checkLedgerVersion(ctx context.Context, want int) error {
	for i := range nodes {
		status, err := r.cluster.Status(ctx, i)
		if err != nil {
			return err
		}
		if got := max(1, status.LedgerVersion); got != want {
			return fmt.Errorf("node %d says that the ledger version is %d, not %d", i, got, want)
		}
	}
	return nil
}

func (r *round) awaitLedgerVersion(ctx context.Context, want int) error {
	_, err := r.bench.During(ctx, fmt.Sprintf("ledger version %d", want), r.cluster.HTTPAddrs(), func() error {
		ctx, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		return launch.Await(ctx, "the ledger version", func(ctx context.Context) error { return r.checkLedgerVersion(ctx, want) })
	})
	return err
}

// exchange is the fault that restarts a node with the other build.
const exchange faultrun.Fault = "exchange"

// injectFaults runs the faults of scripts/chaos, and exchange.
func (r *round) injectFaults(ctx context.Context, seed uint64) error {
	config := faultrun.DefaultConfig()
	config.Duration, config.Seed, config.Timeout = r.share, seed, stepTimeout
	config.Lincheck, config.Dir = r.lincheck, filepath.Join(r.dir, fmt.Sprintf("faults-%d", seed))
	config.Faults = r.possible
	config.More = map[faultrun.Fault]faultrun.Injection{exchange: r.exchange}
	if err := os.MkdirAll(config.Dir, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(config.Dir, "faults.txt"))
	if err != nil {
		return err
	}
	config.Log = log
	result, err := faultrun.Run(ctx, config, r.cluster)
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	if !result.OK() {
		return fmt.Errorf("under faults, with both builds:\n%v", result)
	}
	r.logf("%v", result.Line(nil))
	return r.check(ctx)
}

// exchange stops or kills a node and starts it with the other build. At least one node of each build stays.
func (r *round) exchange(ctx context.Context, random *rand.Rand) error {
	node, killed := random.IntN(nodes), random.IntN(2) == 0
	count := 0
	for _, new := range r.onNew {
		if new == r.onNew[node] {
			count++
		}
	}
	if count == 1 {
		node = (node + 1) % nodes
	}
	if killed {
		r.cluster.Kill(node)
	} else if err := r.cluster.Stop(node); err != nil {
		return err
	}
	r.use(node, !r.onNew[node])
	if err := r.cluster.Start(node); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = r.cluster.AwaitNode(ready, node) // under faults it may take longer; the repair waits for it
	return nil
}

// finish sees that everything ends cleanly.
func (r *round) finish(ctx context.Context) error {
	if err := r.converge(ctx); err != nil {
		return err
	}
	if err := r.bench.CheckBalance(ctx); err != nil {
		return err
	}
	return errors.Join(errors.Join(r.cluster.Crashes()...), r.cluster.StopAll())
}
