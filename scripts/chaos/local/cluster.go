package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options describe a cluster.
type Options struct {
	Binary   string // from Build
	Dir      string // data directories and logs go below it; it must exist
	Nodes    int
	LogStore string // boltdb or wal
	RootKey  string
	Args     []string // further arguments of every node
}

// Cluster is a set of nodes that were given one command line. Node numbers count from 0.
type Cluster struct {
	options Options
	nodes   []*node
	probe   *http.Client
}

type node struct {
	http, peer, gossip string
	data, log          string

	mu      sync.Mutex
	process *Process // nil before the first start; guarded by mu
	crashes []error  // of earlier processes; guarded by mu
}

// NewCluster chooses ports and directories. Nothing runs yet.
func NewCluster(options Options) (*Cluster, error) {
	addrs, err := FreeAddrs(3 * options.Nodes)
	if err != nil {
		return nil, err
	}
	cluster := &Cluster{options: options, probe: &http.Client{
		Timeout:   time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
	}}
	for i := range options.Nodes {
		name := "node" + strconv.Itoa(i)
		cluster.nodes = append(cluster.nodes, &node{
			http: addrs[3*i], peer: addrs[3*i+1], gossip: addrs[3*i+2],
			data: filepath.Join(options.Dir, name), log: filepath.Join(options.Dir, name+".log"),
		})
	}
	return cluster, nil
}

// Size is the number of nodes, running or not.
func (c *Cluster) Size() int { return len(c.nodes) }

// HTTPAddr is where node i serves HTTP, also across restarts.
func (c *Cluster) HTTPAddr(i int) string { return c.nodes[i].http }

// HTTPAddrs are the HTTP addresses of all nodes.
func (c *Cluster) HTTPAddrs() []string {
	var addrs []string
	for _, n := range c.nodes {
		addrs = append(addrs, n.http)
	}
	return addrs
}

// Start starts node i, if it is not running.
func (c *Cluster) Start(i int) error {
	n := c.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil && n.process.Running() {
		return nil
	}
	var join []string
	for _, other := range c.nodes {
		join = append(join, other.gossip)
	}
	args := append([]string{
		"server", "--data-dir", n.data, "--http-addr", n.http, "--peer-addr", n.peer, "--gossip-addr", n.gossip,
		"--bootstrap-expect", strconv.Itoa(len(c.nodes)), "--join", strings.Join(join, ","),
		"--log-store", c.options.LogStore,
	}, c.options.Args...)
	env := []string{"PATH=" + os.Getenv("PATH"), "CREDITD_ROOT_KEY=" + c.options.RootKey, "GORACE=halt_on_error=1"}
	process, err := Launch(n.log, env, c.options.Binary, args...)
	if err != nil {
		return fmt.Errorf("start node %d: %w", i, err)
	}
	if n.process != nil && n.process.Crashed() {
		n.crashes = append(n.crashes, n.crash(i))
	}
	n.process = process
	return nil
}

func (n *node) crash(i int) error {
	return fmt.Errorf("node %d ended on its own: %v; its log is %s", i, n.process.command.ProcessState, n.log)
}

// Crashes lists the nodes that ended without having been killed or stopped, also those that run again.
func (c *Cluster) Crashes() []error {
	var all []error
	for i, n := range c.nodes {
		n.mu.Lock()
		all = append(all, n.crashes...)
		if n.process != nil && n.process.Crashed() {
			all = append(all, n.crash(i))
		}
		n.mu.Unlock()
	}
	return all
}

// StartAll starts every node that is not running.
func (c *Cluster) StartAll() error {
	var problems []error
	for i := range c.nodes {
		problems = append(problems, c.Start(i))
	}
	return errors.Join(problems...)
}

// Kill ends node i with SIGKILL and waits until it is gone. Killing a node that is down does nothing.
func (c *Cluster) Kill(i int) {
	if process := c.Process(i); process != nil {
		process.Kill()
	}
}

// Process is the latest process of node i, or nil.
func (c *Cluster) Process(i int) *Process {
	n := c.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process
}

// Running reports whether the process of node i exists.
func (c *Cluster) Running(i int) bool {
	process := c.Process(i)
	return process != nil && process.Running()
}

// KillAll ends all nodes at nearly the same moment.
func (c *Cluster) KillAll() {
	var group sync.WaitGroup
	for i := range c.nodes {
		group.Go(func() { c.Kill(i) })
	}
	group.Wait()
}

// StopAll asks all nodes to end, as an operator would, and reports those that did not end well.
func (c *Cluster) StopAll(grace time.Duration) error {
	problems := make([]error, len(c.nodes))
	var group sync.WaitGroup
	for i := range c.nodes {
		if process := c.Process(i); process != nil {
			group.Go(func() {
				if err := process.Stop(grace); err != nil {
					problems[i] = fmt.Errorf("node %d: %w", i, err)
				}
			})
		}
	}
	group.Wait()
	return errors.Join(problems...)
}

// AwaitReady waits until every node says that it is ready. A node that ended meanwhile ends the wait.
func (c *Cluster) AwaitReady(ctx context.Context) error {
	for i, n := range c.nodes {
		ctx, cancel := context.WithCancelCause(ctx)
		process := c.Process(i)
		stop := make(chan struct{})
		go func() {
			select {
			case <-process.Ended():
				cancel(fmt.Errorf("node %d ended: %s", i, tail(n.log)))
			case <-stop:
			}
		}()
		err := Await(ctx, fmt.Sprintf("node %d to be ready", i), func(ctx context.Context) error { return c.ready(ctx, n) })
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = fmt.Errorf("%w (%w)", err, cause)
		}
		close(stop)
		cancel(nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) ready(ctx context.Context, n *node) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.http+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := c.probe.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %d", response.StatusCode)
	}
	return nil
}

// tail is the end of a log, for messages.
func tail(name string) string {
	const length = 2000
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	if len(text) > length {
		text = text[len(text)-length:]
	}
	return "the end of its log:\n" + string(text)
}

// Pause freezes node i; a node that is down stays down.
func (c *Cluster) Pause(i int) error {
	if !c.Running(i) {
		return nil
	}
	return c.Process(i).Pause()
}

// Resume lets a paused node go on.
func (c *Cluster) Resume(i int) error {
	if !c.Running(i) {
		return nil
	}
	return c.Process(i).Resume()
}
