package faultrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/history"
	"github.com/creditd/creditd/scripts/launch"
)

// Config says how long and how hard.
type Config struct {
	Duration time.Duration // of load and faults
	Seed     uint64
	Clients  int
	Faults   []Fault
	More     map[Fault]Injection // faults of the caller's, which have names in Faults too
	Timeout  time.Duration       // of each wait for the cluster to recover
	Dir      string              // the record and pictures go there
	Lincheck string              // the program, built from Lincheck
	Log      io.Writer           // one line per fault and per phase
}

// Injection is a fault that a caller adds. It returns when the fault is over.
type Injection func(ctx context.Context, random *rand.Rand) error

// DefaultConfig is a run with all faults; Seed, Dir and Lincheck are the caller's.
func DefaultConfig() Config {
	return Config{Duration: time.Minute, Clients: 12, Faults: Faults(), Timeout: time.Minute, Log: io.Discard}
}

// Unknown outcomes blur a balance, so the load moves on to fresh accounts before they pile up.
const (
	epochLength      = 5 * time.Second
	accountsPerEpoch = 12
)

// settleTime lets the load run on without faults, so that recovery is part of the record.
const settleTime = time.Second

// Run hurts a cluster whose nodes are ready, and leaves it running. An error says that the run could not be completed; broken
// promises are in the result.
func Run(ctx context.Context, config Config, cluster *launch.Cluster) (Result, error) {
	r := &run{config: config, cluster: cluster, result: Result{Seed: config.Seed}}
	err := r.run(ctx)
	for _, crash := range cluster.Crashes() { // starting a node again must not hide that it crashed
		r.violation("%v", crash)
	}
	return r.result, err
}

type run struct {
	config   Config
	cluster  *launch.Cluster
	accounts []*account
	result   Result
}

func (r *run) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.config.Log, format+"\n", args...)
}

func (r *run) violation(format string, args ...any) {
	r.result.Violations = append(r.result.Violations, fmt.Sprintf(format, args...))
}

func (r *run) run(ctx context.Context) (err error) {
	random := rand.New(rand.NewPCG(r.config.Seed, 0))
	epochs := int((r.config.Duration+settleTime)/epochLength) + 1
	if r.accounts, err = createAccounts(ctx, r.cluster, random, epochs*accountsPerEpoch); err != nil {
		return fmt.Errorf("create the accounts: %w", err)
	}
	r.logf("%d accounts created, %v of load and faults", len(r.accounts), r.config.Duration)
	if err := r.disturb(ctx, random, epochs); err != nil {
		return err
	}
	r.logf("faults off, %d operations on record", len(r.result.Ops))
	finals, err := r.repair(ctx)
	r.result.Accounts = recorded(r.accounts, finals)
	if err = errors.Join(err, r.save()); err != nil || len(r.result.Violations) > 0 {
		return err
	}
	if err := r.check(ctx); err != nil {
		return err
	}

	r.logf("restart of all nodes")
	r.cluster.KillAll()
	if err := r.cluster.StartAll(); err != nil {
		return err
	}
	again, err := r.repair(ctx)
	if err != nil || again == nil {
		return err
	}
	r.compare("after the restart", finals, again)
	return nil
}

// disturb runs load and faults side by side and records what happened.
func (r *run) disturb(ctx context.Context, random *rand.Rand, epochs int) error {
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	watch := newLeaderWatch(r.cluster)
	go watch.run(watching)

	started := time.Now()
	load := &traffic{
		cluster: r.cluster, accounts: r.accounts, started: started, seed: r.config.Seed,
		epochs: func(now time.Duration) (from, to int) {
			epoch := min(int(now/epochLength), epochs-1)
			return epoch * accountsPerEpoch, (epoch + 1) * accountsPerEpoch
		},
	}
	load.start(ctx, r.config.Clients)
	defer load.stop()

	hurting, stopHurting := context.WithTimeout(ctx, r.config.Duration)
	defer stopHurting()
	in := &injector{
		cluster: r.cluster, random: random, faults: Possible(r.config.Faults, r.cluster), more: r.config.More, watch: watch,
		log: r.config.Log, started: started, done: map[Fault]int{}, patience: r.config.Timeout,
	}
	if err := in.run(hurting); err != nil {
		return err
	}
	if err := r.cluster.StartAll(); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	if err := r.cluster.AwaitReady(ready); err != nil {
		return err
	}
	if err := launch.Pause(ctx, settleTime); err != nil {
		return err
	}
	load.stop()
	r.result.Faults, r.result.Kills, r.result.Replaced = in.done, in.kills, in.replaced
	r.result.LeaderChanges, r.result.Led = watch.seen()
	r.collect(load)
	return nil
}

// collect joins the clients' records and takes the figures from them.
func (r *run) collect(load *traffic) {
	var ops []history.Operation
	r.result.Missed = map[string]int{}
	for _, seen := range load.records {
		for what, n := range seen.missed {
			r.result.Missed[what] += n
		}
		ops = append(ops, seen.ops...)
		for kind := range seen.counts {
			for outcome, n := range seen.counts[kind] {
				r.result.Counts[kind][outcome] += n
			}
		}
	}
	slices.SortFunc(ops, func(x, y history.Operation) int { return int(x.End - y.End) })
	var last time.Duration
	for _, op := range ops {
		if op.Answered() {
			r.result.Slowest = max(r.result.Slowest, op.End-op.Start)
			r.result.LongestGap = max(r.result.LongestGap, op.End-last)
			last = op.End
		}
	}
	r.result.Ops = ops
}

// repair waits until all nodes agree on one state and returns the balances, which every node must show alike. Without agreement it
// returns none, and a violation is on record.
func (r *run) repair(ctx context.Context) (finals []int64, err error) {
	begin := time.Now()
	ready, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	if err := r.cluster.AwaitReady(ready); err != nil {
		return nil, err
	}
	if err := r.awaitVotes(ctx); err != nil {
		return nil, err
	}
	if !r.converge(ctx) {
		return nil, nil
	}
	for node := range r.cluster.Size() {
		shown, err := r.balances(ctx, node)
		if err != nil {
			return nil, err
		}
		if node == 0 {
			finals = shown
		}
		r.compare(fmt.Sprintf("on node %d", node), finals, shown)
	}
	r.converge(ctx) // reading must not have set them apart
	r.logf("all nodes agree, %v after the wait began", time.Since(begin).Round(time.Millisecond))
	return finals, nil
}

// awaitVotes waits until each node has a vote, and nobody else: no former node may be left in the configuration.
func (r *run) awaitVotes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	return launch.Await(ctx, "one vote for each node", func(ctx context.Context) error {
		leader, status, err := r.cluster.FindLeader(ctx, 0)
		if err != nil {
			return err
		}
		votes := 0
		for _, n := range status.Nodes {
			if n.Voter {
				votes++
			}
		}
		if votes != r.cluster.Size() {
			return fmt.Errorf("node %d leads, and %d servers have a vote: %+v", leader, votes, status.Nodes)
		}
		return nil
	})
}

func (r *run) converge(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	digest, err := r.cluster.Converge(ctx)
	if err != nil {
		r.violation("the nodes do not agree on one state: %v", err)
		return false
	}
	r.result.Digest = digest
	return true
}

func (r *run) balances(ctx context.Context, node int) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	reader := launch.NewClient(r.cluster.HTTPAddr(node), callTimeout)
	defer reader.Close()
	balances := make([]int64, len(r.accounts))
	for i, a := range r.accounts {
		err := launch.Await(ctx, "the balance of "+a.name, func(ctx context.Context) error {
			balance, answer := a.balance(ctx, reader)
			balances[i] = balance
			return answer.Err
		})
		if err != nil {
			return nil, err
		}
	}
	return balances, nil
}

func (r *run) compare(where string, want, got []int64) {
	for i, a := range r.accounts {
		if want[i] != got[i] {
			r.violation("%s: %d %s where it was %d before", a.name, got[i], where, want[i])
		}
	}
}
