package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/store/failpoint"
)

const (
	nodes   = 3
	clients = 6

	// Small, so that nodes take, truncate and install snapshots all the time.
	snapshotThreshold = 50
	trailingLogs      = 100
	snapshotInterval  = time.Second

	// stageTimeout bounds the way to a failpoint and the way back.
	stageTimeout = time.Minute

	callTimeout = 10 * time.Second
)

// errNotPassed is returned for a failpoint that this kind of log never passes.
var errNotPassed = errors.New("not passed with this log")

type crasher struct {
	settings
	binary  string
	random  *rand.Rand
	cluster *launch.Cluster
	clients []*debitClient
	news    int // clusters of one so far
	report  report
}

func (c *crasher) options(dir string, size int) launch.Options {
	return launch.Options{Binary: c.binary, Dir: dir, Nodes: size, LogStore: c.logStore, Args: []string{
		"--heartbeat-timeout", "300ms", "--election-timeout", "300ms", "--disk-reserve", "0",
		"--snapshot-threshold", strconv.Itoa(snapshotThreshold), "--trailing-logs", strconv.Itoa(trailingLogs),
		"--snapshot-interval", snapshotInterval.String(),
	}}
}

func (c *crasher) run(ctx context.Context) error {
	cluster, err := launch.StartCluster(ctx, c.options(c.dir, nodes))
	if err != nil {
		return err
	}
	defer cluster.Close()
	c.cluster = cluster
	caller := launch.NewClient(cluster.HTTPAddr(0), callTimeout)
	defer caller.Close()
	if err := c.createClients(ctx, caller); err != nil {
		return err
	}
	debiting, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, d := range c.clients {
		all.Go(func() { d.run(debiting) })
	}
	err = c.runStages(ctx)
	stop()
	all.Wait()
	if err == nil {
		err = c.finish(ctx)
	}
	for _, d := range c.clients {
		c.report.answered += d.answered
		c.report.unknown += d.unknown
		c.report.violations = append(c.report.violations, d.violations...)
	}
	c.report.violations = append(c.report.violations, cluster.Crashes()...)
	return err
}

// createClients creates a key for every client.
func (c *crasher) createClients(ctx context.Context, caller *client.Client) error {
	apiID, err := c.cluster.CreateAPI(ctx)
	if err != nil {
		return err
	}
	for i := range clients {
		key, err := c.cluster.CreateKey(ctx, apiID, initial)
		if err != nil {
			return err
		}
		c.clients = append(c.clients, &debitClient{node: caller.At(c.cluster.HTTPAddr(i % nodes)), Key: key, last: initial})
	}
	return nil
}

// runStages goes through the failpoints.
func (c *crasher) runStages(ctx context.Context) error {
	for _, name := range c.points {
		began := time.Now()
		for range c.kills {
			err := c.runStage(ctx, name)
			if errors.Is(err, errNotPassed) {
				c.report.skipped = append(c.report.skipped, name)
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			c.report.kills[name]++
		}
		_, _ = fmt.Fprintf(c.log, "%-26s %d kills in %v\n", name, c.report.kills[name], time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}

// runStage kills at one failpoint, starts everything again and checks the balances.
func (c *crasher) runStage(ctx context.Context, name failpoint.Name) error {
	reach, cancel := context.WithTimeout(ctx, stageTimeout)
	defer cancel()
	before := c.deaths(name)
	if err := stages[name](c, reach, name); err != nil {
		return err
	}
	if c.deaths(name) <= before {
		return errors.New("a node ended, but not there")
	}
	if err := c.repair(ctx); err != nil {
		return err
	}
	return c.check(ctx, c.anyNode())
}

// check compares what every client was answered with the balances that node i shows.
func (c *crasher) check(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, stageTimeout)
	defer cancel()
	for _, d := range c.clients {
		if err := d.check(ctx, c.cluster, i); err != nil {
			return err
		}
	}
	return nil
}

// deaths counts in the logs how often a node died at a failpoint.
func (c *crasher) deaths(name failpoint.Name) (count int) {
	logs, _ := filepath.Glob(filepath.Join(c.dir, "*.log")) // the pattern is right
	more, _ := filepath.Glob(filepath.Join(c.dir, "new*", "*.log"))
	for _, path := range append(logs, more...) {
		if data, err := os.ReadFile(path); err == nil {
			count += bytes.Count(data, []byte("failpoint "+string(name)+": kill"))
		}
	}
	return count
}

// arm tells a running node where to die.
func (c *crasher) arm(i int, text string) error {
	c.cluster.ExpectExit(i, true)
	return c.cluster.Inject(i, "failpoints", text)
}

// awaitEnd waits until one of the nodes has ended.
func (c *crasher) awaitEnd(ctx context.Context, any ...int) error {
	return launch.Await(ctx, "the end of an armed node", func(context.Context) error {
		for _, i := range any {
			if !c.cluster.Running(i) {
				return nil
			}
		}
		return fmt.Errorf("nodes %v run", any)
	})
}

// repair disarms and starts every node and waits until all are ready.
func (c *crasher) repair(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stageTimeout)
	defer cancel()
	for i := range c.cluster.Size() {
		if err := c.cluster.Inject(i, "failpoints", ""); err != nil {
			return err
		}
	}
	// A node that was armed and did not die yet may do so until it has read that it need not.
	if err := launch.Pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	if err := c.cluster.StartAll(); err != nil {
		return err
	}
	if err := c.cluster.AwaitReady(ctx); err != nil {
		return err
	}
	for i := range c.cluster.Size() {
		c.cluster.ExpectExit(i, false)
	}
	return nil
}

// finish restarts all nodes at once, while no client debits, and checks that they agree with each other and with the answers.
func (c *crasher) finish(ctx context.Context) error {
	c.cluster.KillAll()
	if err := c.repair(ctx); err != nil {
		return err
	}
	agree, cancel := context.WithTimeout(ctx, stageTimeout)
	defer cancel()
	if _, err := c.cluster.Converge(agree); err != nil {
		return err
	}
	for i := range nodes {
		if err := c.check(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *crasher) leader(ctx context.Context) (int, error) {
	i, _, err := c.cluster.Leader(ctx, 0)
	return i, err
}

// applied returns the largest applied index that a node knows of.
func (c *crasher) applied(ctx context.Context, i int) (index uint64, err error) {
	err = launch.Await(ctx, "a node's status", func(ctx context.Context) error {
		status, err := c.cluster.Status(ctx, i)
		for _, n := range status.Nodes {
			index = max(index, n.AppliedIndex)
		}
		return err
	})
	return index, err
}

// killNew starts a new cluster of one, armed, and again until it is up; then its ledger must take a change.
func (c *crasher) killNew(ctx context.Context, armed string) error {
	c.news++
	dir := filepath.Join(c.dir, "new"+strconv.Itoa(c.news))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	cluster, err := launch.NewCluster(c.options(dir, 1))
	if err != nil {
		return err
	}
	defer cluster.Close()
	one := &crasher{settings: c.settings, binary: c.binary, cluster: cluster}
	if err := one.startArmed(ctx, 0, armed); err != nil {
		return err
	}
	if err := one.repair(ctx); err != nil {
		return err
	}
	_, err = cluster.CreateAPI(ctx)
	return err
}

// hasSnapshot returns nil if a node's metrics show a snapshot.
func (c *crasher) hasSnapshot(ctx context.Context, i int) error {
	index, err := c.gauge(ctx, i, "creditd_snapshot_index")
	if err == nil && index == 0 {
		err = fmt.Errorf("node %d has taken none", i)
	}
	return err
}

// gauge reads one of a node's metrics.
func (c *crasher) gauge(ctx context.Context, i int, name string) (value float64, err error) {
	node := launch.NewClient(c.cluster.HTTPAddr(i), callTimeout)
	defer node.Close()
	_, text, err := node.Get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("node %d does not show %s", i, name)
}
