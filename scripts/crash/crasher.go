package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
	"github.com/creditd/creditd/store/failpoint"
)

const (
	rootKey = "root_crash_0123456789abcdef"
	nodes   = 3
	payers  = 6

	// Small, so that snapshots, truncations and copies happen all the time.
	snapshotThreshold = 50
	trailingLogs      = 100
	snapshotInterval  = time.Second

	// patience bounds the way to a failpoint and the way back.
	patience = time.Minute
)

// errNotPassed is returned for a failpoint that this kind of log never passes.
var errNotPassed = errors.New("not passed with this log")

type crasher struct {
	settings
	binary  string
	random  *rand.Rand
	cluster *local.Cluster
	client  *wire.Client
	payers  []*payer
	news    int // clusters of one so far
	report  report
}

func (c *crasher) options(dir string, size int) local.Options {
	return local.Options{Binary: c.binary, Dir: dir, Nodes: size, LogStore: c.logStore, RootKey: rootKey, Args: []string{
		"--heartbeat-timeout", "300ms", "--election-timeout", "300ms", "--disk-reserve", "0",
		"--snapshot-threshold", strconv.Itoa(snapshotThreshold), "--trailing-logs", strconv.Itoa(trailingLogs),
		"--snapshot-interval", snapshotInterval.String(),
	}}
}

func (c *crasher) run(ctx context.Context) error {
	cluster, err := local.NewCluster(c.options(c.dir, nodes))
	if err != nil {
		return err
	}
	defer cluster.Close()
	c.cluster, c.client = cluster, wire.NewClient(rootKey, 10*time.Second)
	defer c.client.Close()
	if err := c.heal(ctx); err != nil {
		return err
	}
	if err := c.hire(); err != nil {
		return err
	}
	paying, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, p := range c.payers {
		all.Go(func() { p.run(paying, rootKey) })
	}
	err = c.visit(ctx)
	stop()
	all.Wait()
	if err == nil {
		err = c.close(ctx)
	}
	for _, p := range c.payers {
		c.report.answered += p.answered
		c.report.unknown += p.unknown
		c.report.violations = append(c.report.violations, p.violations...)
	}
	c.report.violations = append(c.report.violations, cluster.Crashes()...)
	return err
}

// hire gives every payer a key.
func (c *crasher) hire() error {
	var api struct {
		ID string `json:"apiId"`
	}
	if answer := c.client.Call(c.cluster.HTTPAddr(0), "apis.createApi", map[string]any{"name": "crash"}, &api); answer.Fate != wire.Executed {
		return errors.New(answer.Detail)
	}
	for i := range payers {
		p := &payer{addr: c.cluster.HTTPAddr(i % nodes), last: initial}
		var key struct {
			ID  string `json:"keyId"`
			Key string `json:"key"`
		}
		body := map[string]any{"apiId": api.ID, "credits": map[string]any{"remaining": initial}}
		if answer := c.client.Call(c.cluster.HTTPAddr(0), "keys.createKey", body, &key); answer.Fate != wire.Executed {
			return errors.New(answer.Detail)
		}
		p.keyID, p.key = key.ID, key.Key
		c.payers = append(c.payers, p)
	}
	return nil
}

// visit goes through the failpoints.
func (c *crasher) visit(ctx context.Context) error {
	for _, name := range c.points {
		began := time.Now()
		for range c.kills {
			err := c.once(ctx, name)
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

// once kills at one failpoint, brings everything up again and checks the books.
func (c *crasher) once(ctx context.Context, name failpoint.Name) error {
	reach, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before := c.deaths(name)
	if err := stages[name](c, reach, name); err != nil {
		return err
	}
	if c.deaths(name) <= before {
		return errors.New("a node ended, but not there")
	}
	if err := c.heal(ctx); err != nil {
		return err
	}
	return c.check(ctx, c.anyone())
}

// check compares everybody's books with what a node shows. A connection that broke with the node is made anew.
func (c *crasher) check(ctx context.Context, i int) error {
	for _, p := range c.payers {
		if err := local.Await(ctx, "a balance", func(context.Context) error {
			return p.check(c.client, c.cluster.HTTPAddr(i))
		}); err != nil {
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
	c.cluster.Excuse(i, true)
	return c.cluster.Plant(i, "failpoints", text)
}

// awaitEnd waits until one of the nodes has ended.
func (c *crasher) awaitEnd(ctx context.Context, any ...int) error {
	return local.Await(ctx, "the end of an armed node", func(context.Context) error {
		for _, i := range any {
			if !c.cluster.Running(i) {
				return nil
			}
		}
		return fmt.Errorf("nodes %v run", any)
	})
}

// heal disarms and starts every node and waits until all are ready.
func (c *crasher) heal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i := range c.cluster.Size() {
		if err := c.cluster.Plant(i, "failpoints", ""); err != nil {
			return err
		}
	}
	// A node that was armed and did not die yet may do so until it has read that it need not.
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	if err := c.cluster.StartAll(); err != nil {
		return err
	}
	if err := c.cluster.AwaitReady(ctx); err != nil {
		return err
	}
	for i := range c.cluster.Size() {
		c.cluster.Excuse(i, false)
	}
	return nil
}

// close restarts all nodes at once, with nobody charging, and checks that they agree with each other and with the books.
func (c *crasher) close(ctx context.Context) error {
	c.cluster.KillAll()
	if err := c.heal(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i := range nodes {
		addr := c.cluster.HTTPAddr(i)
		if err := local.Await(ctx, "one state on all nodes", func(context.Context) error {
			status, err := c.client.Status(addr)
			if err == nil {
				err = status.Converged(nodes)
			}
			return err
		}); err != nil {
			return err
		}
		if err := c.check(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// leader returns the node that leads.
func (c *crasher) leader(ctx context.Context) (i int, err error) {
	err = local.Await(ctx, "a leader", func(context.Context) error {
		status, err := c.client.Status(c.cluster.HTTPAddr(c.anyone()))
		if err != nil {
			return err
		}
		for n, addr := range c.cluster.HTTPAddrs() {
			if addr == status.LeaderAddr() {
				i = n
				return nil
			}
		}
		return errors.New("nobody leads")
	})
	return i, err
}

// applied returns the largest applied index that a node knows of.
func (c *crasher) applied(ctx context.Context, i int) (index uint64, err error) {
	err = local.Await(ctx, "a node's status", func(context.Context) error {
		status, err := c.client.Status(c.cluster.HTTPAddr(i))
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
	cluster, err := local.NewCluster(c.options(dir, 1))
	if err != nil {
		return err
	}
	defer cluster.Close()
	one := &crasher{settings: c.settings, binary: c.binary, cluster: cluster}
	if err := one.startArmed(ctx, 0, armed); err != nil {
		return err
	}
	if err := one.heal(ctx); err != nil {
		return err
	}
	client := wire.NewClient(rootKey, 10*time.Second)
	defer client.Close()
	if answer := client.Call(cluster.HTTPAddr(0), "apis.createApi", map[string]any{"name": "new"}, nil); answer.Fate != wire.Executed {
		return errors.New(answer.Detail)
	}
	return nil
}

// hasSnapshot returns nil if a node's metrics tell of a snapshot.
func (c *crasher) hasSnapshot(ctx context.Context, i int) error {
	index, err := c.gauge(ctx, i, "creditd_snapshot_index")
	if err == nil && index == 0 {
		err = fmt.Errorf("node %d has taken none", i)
	}
	return err
}

// gauge returns what a node's metrics say.
func (c *crasher) gauge(ctx context.Context, i int, name string) (value float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.cluster.HTTPAddr(i)+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("node %d does not tell %s", i, name)
}
