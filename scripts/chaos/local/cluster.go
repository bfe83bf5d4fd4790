package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/chaos/links"
)

// Options describe a cluster.
type Options struct {
	Binary   string // from Build or BuildFaulty
	Dir      string // data directories and logs go below it; it must exist
	Nodes    int
	LogStore string // boltdb or wal
	RootKey  string
	Args     []string // further arguments of every node
	Links    bool     // the nodes reach each other through a Net that can be cut; Linux only
	Disk     bool     // node 0 has a disk of its own that can be filled, where this process may mount one
}

// Cluster is a set of nodes that were given one command line. Node numbers count from 0.
type Cluster struct {
	options Options
	nodes   []*node
	probe   *http.Client
	links   *links.Net // nil without Options.Links
	disk    *disk      // of node 0; nil without Options.Disk
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
	if options.Links {
		if err := cluster.link(); err != nil {
			return nil, err
		}
	}
	if options.Disk {
		// Without the rights the cluster runs all the same, and HasDisk says so.
		if mounted, err := mountDisk(filepath.Join(options.Dir, "disk0")); err == nil {
			cluster.disk, cluster.nodes[0].data = mounted, filepath.Join(options.Dir, "disk0", "data")
		}
	}
	return cluster, nil
}

// link puts a Net between the peer ports.
func (c *Cluster) link() error {
	var targets []string
	for _, n := range c.nodes {
		targets = append(targets, n.peer)
	}
	between, err := links.New(targets, func(conn net.Conn) (int, bool) {
		pids := make([]int, len(c.nodes))
		for i := range c.nodes {
			if process := c.Process(i); process != nil {
				pids[i] = process.PID()
			}
		}
		return ownerOf(conn, pids)
	})
	c.links = between
	return err
}

// Links is the network between the nodes, nil without Options.Links.
func (c *Cluster) Links() *links.Net { return c.links }

// HasDisk reports whether node 0 has a disk that can be filled.
func (c *Cluster) HasDisk() bool { return c.disk != nil }

// FillDisk leaves spare bytes free on the disk of node 0. Until FreeDisk the node may end on its own.
func (c *Cluster) FillDisk(spare int64) error {
	c.Excuse(0, true)
	return c.disk.fill(spare)
}

// FreeDisk gives the disk of node 0 its room back.
func (c *Cluster) FreeDisk() error { return c.disk.free() }

// Plant tells a node built by BuildFaulty what is wrong with its "clock" or which "failpoints" are armed; an empty text ends that.
func (c *Cluster) Plant(i int, what, text string) error {
	dir := c.nodes[i].data + ".chaos"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, what)
	if err := os.WriteFile(name+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// Wipe throws away what node i, which must be down, has on disk: it comes back as a newcomer.
func (c *Cluster) Wipe(i int) error { return os.RemoveAll(c.nodes[i].data) }

// LogOf is the file that node i logs to.
func (c *Cluster) LogOf(i int) string { return c.nodes[i].log }

// Close kills the nodes and takes down what was set up around them; directories stay.
func (c *Cluster) Close() {
	c.KillAll()
	if c.links != nil {
		c.links.Close()
	}
	if c.disk != nil {
		_ = c.disk.unmount() // detached at the latest when the machine goes down; nothing is left to do about it here
	}
}

// Excuse says that the present process of node i may end on its own, or that it may not any more.
func (c *Cluster) Excuse(i int, excused bool) {
	if process := c.Process(i); process != nil {
		process.excuse(excused)
	}
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
	advertised := n.peer
	if c.links != nil {
		advertised = c.links.Addr(i)
	}
	args := append([]string{
		"server", "--data-dir", n.data, "--http-addr", n.http, "--peer-addr", n.peer, "--advertise-peer", advertised, "--gossip-addr", n.gossip,
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

// Stop asks node i to end, as an operator would.
func (c *Cluster) Stop(i int, grace time.Duration) error {
	process := c.Process(i)
	if process == nil {
		return nil
	}
	if err := process.Stop(grace); err != nil {
		return fmt.Errorf("node %d: %w", i, err)
	}
	return nil
}

// StopAll asks all nodes to end, as an operator would, and reports those that did not end well.
func (c *Cluster) StopAll(grace time.Duration) error {
	problems := make([]error, len(c.nodes))
	var group sync.WaitGroup
	for i := range c.nodes {
		group.Go(func() { problems[i] = c.Stop(i, grace) })
	}
	group.Wait()
	return errors.Join(problems...)
}

// AwaitReady waits until every node says that it is ready. A node that ended meanwhile ends the wait.
func (c *Cluster) AwaitReady(ctx context.Context) error {
	for i := range c.nodes {
		if err := c.AwaitNode(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// AwaitNode waits until node i says that it is ready, or has ended.
func (c *Cluster) AwaitNode(ctx context.Context, i int) error {
	n := c.nodes[i]
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	process := c.Process(i)
	stop := make(chan struct{})
	defer close(stop)
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
	return err
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
