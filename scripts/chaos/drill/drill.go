package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/books"
	"github.com/creditd/creditd/scripts/chaos/links"
	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/replay"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

// Cluster is what a drill can do to nodes. Numbers count from 0. Starting a node that runs does nothing, and so does
// killing one that is down; addresses outlive restarts.
type Cluster interface {
	Size() int
	HTTPAddr(i int) string
	Start(i int) error
	StartAll() error
	Kill(i int)
	KillAll()
	Pause(i int) error
	Resume(i int) error
	Stop(i int, grace time.Duration) error
	Links() *links.Net // nil: the nodes reach each other directly
	HasDisk() bool     // whether the disk of node 0 can be filled
	FillDisk(spare int64) error
	FreeDisk() error
	Plant(i int, what, text string) error
	Excuse(i int, excused bool) // a node may end on its own, or not any more
	AwaitReady(ctx context.Context) error
	AwaitNode(ctx context.Context, i int) error
	Crashes() []error
}

// Config says how long and how hard.
type Config struct {
	Duration time.Duration // of load and faults
	Seed     uint64
	Clients  int
	Faults   []Fault
	Patience time.Duration // limit of each wait for the cluster to recover
	RootKey  string
	Log      io.Writer // one line per fault and per phase
}

// DefaultConfig is a drill with everything; Seed and RootKey are the caller's.
func DefaultConfig() Config {
	return Config{Duration: time.Minute, Clients: 12, Faults: Faults(), Patience: time.Minute, Log: io.Discard}
}

// Unknown outcomes blur a balance, so the load moves on to fresh owners before they pile up.
const (
	epochLength    = 5 * time.Second
	ownersPerEpoch = 12
)

// settleTime lets the load run on without faults, so that recovery is part of the record.
const settleTime = time.Second

// Run drills a cluster whose nodes are ready, and leaves it running. The error says that the drill could not be
// carried out; broken promises are in the result.
func Run(ctx context.Context, config Config, cluster Cluster) (Result, error) {
	d := &drill{config: config, cluster: cluster, result: Result{Seed: config.Seed}}
	d.client = wire.NewClient(config.RootKey, callTimeout)
	defer d.client.Close()
	err := d.run(ctx)
	for _, crash := range cluster.Crashes() { // starting a node again must not hide that it fell over
		d.violation("%v", crash)
	}
	return d.result, err
}

type drill struct {
	config  Config
	cluster Cluster
	client  *wire.Client
	owners  []*owner
	result  Result
}

func (d *drill) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(d.config.Log, format+"\n", args...)
}

func (d *drill) run(ctx context.Context) error {
	random := rand.New(rand.NewPCG(d.config.Seed, 0))
	epochs := int((d.config.Duration+settleTime)/epochLength) + 1
	owners, err := makeOwners(ctx, d.client, d.cluster.HTTPAddr(0), random, epochs*ownersPerEpoch)
	if err != nil {
		return fmt.Errorf("create the balances: %w", err)
	}
	d.owners = owners
	d.logf("%d balances created, %v of load and faults", len(owners), d.config.Duration)

	ops, err := d.disturb(ctx, random, epochs)
	if err != nil {
		return err
	}
	d.result.Ops = ops
	d.logf("faults off, %d operations on record", len(ops))
	finals, err := d.heal(ctx)
	if err != nil || len(d.result.Violations) > 0 {
		return err
	}
	d.result.Owners = booksOf(owners, finals)
	d.judge()

	d.logf("restart of all nodes")
	d.cluster.KillAll()
	if err := d.cluster.StartAll(); err != nil {
		return err
	}
	again, err := d.heal(ctx)
	if err != nil || len(d.result.Violations) > 0 {
		return err
	}
	d.compare("after the restart", finals, again)
	return nil
}

// judge checks the record twice: sums and the order of answers, then every answer by carrying everything out again.
func (d *drill) judge() {
	kept := books.Check(d.result.Owners, d.result.Ops)
	again := replay.Check(d.result.Owners, d.result.Ops)
	d.result.Violations = slices.Concat(d.result.Violations, kept.Violations, again.Violations)
	d.result.Undecided = kept.Undecided + again.Undecided
	d.result.Resolved, d.result.Replayed = again.Resolved, again.Replayed
}

// disturb runs load and faults side by side and returns what was recorded.
func (d *drill) disturb(ctx context.Context, random *rand.Rand, epochs int) ([]books.Op, error) {
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	w := newWatch(d.cluster, d.config.RootKey)
	go w.run(watching)

	started := time.Now()
	load := &traffic{
		cluster: d.cluster, rootKey: d.config.RootKey, owners: d.owners, started: started, seed: d.config.Seed,
		epochs: func(now time.Duration) (from, to int) {
			epoch := min(int(now/epochLength), epochs-1)
			return epoch * ownersPerEpoch, (epoch + 1) * ownersPerEpoch
		},
	}
	load.start(ctx, d.config.Clients)
	defer load.stop()

	hurting, stopHurting := context.WithTimeout(ctx, d.config.Duration)
	defer stopHurting()
	n := &nemesis{
		cluster: d.cluster, random: random, faults: Possible(d.config.Faults, d.cluster), watch: w, log: d.config.Log, started: started,
		client: wire.NewClient(d.config.RootKey, time.Second),
	}
	defer n.client.Close()
	if err := n.run(hurting); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := d.cluster.StartAll(); err != nil {
		return nil, err
	}
	ready, cancel := context.WithTimeout(ctx, d.config.Patience)
	defer cancel()
	if err := d.cluster.AwaitReady(ready); err != nil {
		return nil, err
	}
	settled := time.NewTimer(settleTime)
	defer settled.Stop()
	select {
	case <-settled.C:
	case <-ctx.Done():
	}
	load.stop()
	d.result.Faults, d.result.Kills, d.result.LeaderChanges = n.done, n.kills, w.changes()
	return d.collect(load), nil
}

// collect joins the clients' records and takes the figures from them.
func (d *drill) collect(load *traffic) []books.Op {
	var ops []books.Op
	d.result.Missed = map[string]int{}
	for _, r := range load.records {
		for what, n := range r.missed {
			d.result.Missed[what] += n
		}
		ops = append(ops, r.ops...)
		for kind := range r.counts {
			for outcome, n := range r.counts[kind] {
				d.result.Counts[kind][outcome] += n
			}
		}
	}
	slices.SortFunc(ops, func(x, y books.Op) int { return int(x.End - y.End) })
	var last time.Duration
	for _, op := range ops {
		if op.Answered() {
			d.result.Slowest = max(d.result.Slowest, op.End-op.Start)
			d.result.LongestGap = max(d.result.LongestGap, op.End-last)
			last = op.End
		}
	}
	return ops
}

// heal waits until all nodes agree on one state and returns the balances, which every node must show alike.
func (d *drill) heal(ctx context.Context) ([]int64, error) {
	begin := time.Now()
	ready, cancel := context.WithTimeout(ctx, d.config.Patience)
	defer cancel()
	if err := d.cluster.AwaitReady(ready); err != nil {
		return nil, err
	}
	if err := d.converge(ctx); err != nil {
		d.violation("the nodes did not come to one state: %v", err)
		return nil, nil
	}
	var finals []int64
	for node := range d.cluster.Size() {
		shown, err := d.balances(ctx, d.cluster.HTTPAddr(node))
		if err != nil {
			return nil, err
		}
		if node == 0 {
			finals = shown
		}
		d.compare(fmt.Sprintf("on node %d", node), finals, shown)
	}
	if err := d.converge(ctx); err != nil { // reading must not have set them apart
		d.violation("the nodes did not stay at one state: %v", err)
	}
	d.logf("all nodes agree, %v after the wait began", time.Since(begin).Round(time.Millisecond))
	return finals, nil
}

func (d *drill) violation(format string, args ...any) {
	d.result.Violations = append(d.result.Violations, fmt.Sprintf(format, args...))
}

// converge asks every node, since each may know the others late.
func (d *drill) converge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.config.Patience)
	defer cancel()
	return local.Await(ctx, "equal applied index and digest on all nodes", func(context.Context) error {
		for node := range d.cluster.Size() {
			status, err := d.client.Status(d.cluster.HTTPAddr(node))
			if err == nil {
				err = status.Converged(d.cluster.Size())
			}
			if err != nil {
				return fmt.Errorf("node %d says: %w", node, err)
			}
			d.result.Digest = status.Nodes[0].Digest.Value
		}
		return nil
	})
}

func (d *drill) balances(ctx context.Context, addr string) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, d.config.Patience)
	defer cancel()
	balances := make([]int64, len(d.owners))
	for i, o := range d.owners {
		err := local.Await(ctx, "the balance of "+o.name, func(context.Context) error {
			balance, answer := o.balance(d.client, addr)
			balances[i] = balance
			if answer.Fate != wire.Executed {
				return errors.New(answer.Detail)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return balances, nil
}

func (d *drill) compare(where string, want, got []int64) {
	for i, o := range d.owners {
		if want[i] != got[i] {
			d.violation("%s: %d %s where it was %d before", o.name, got[i], where, want[i])
		}
	}
}
