package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cluster/clustertest/links"
)

// Options describe a cluster.
type Options struct {
	Binary   string // from Build; Use gives a node another one
	Dir      string // data directories and logs are below it; it must exist
	Nodes    int
	LogStore string // boltdb or wal
	Args     []string
	Open     bool // the nodes share no secret, as builds that know none
	Links    bool // the nodes reach each other through a proxy that injects faults; Linux only
	Disk     bool // node 0 has a disk of its own that can be filled, where this process may mount one
	Admin    bool // nodes have an admin port, where profiles are
	TLS      bool // the HTTP and peer ports have certificates of `creditd tls`, and gossip a key
}

// SmallSnapshots are arguments for short runs, which have few entries. With them nodes take snapshots, and nodes that were away are sent
// full snapshots.
var SmallSnapshots = []string{"--snapshot-threshold", "400", "--snapshot-interval", "2s", "--trailing-logs", "800"}

// Cluster is a set of nodes with one command line. Node numbers count from 0; addresses and directories outlive restarts.
type Cluster struct {
	options Options
	nodes   []*node
	client  *client.Client
	net     *links.Net   // nil without Options.Links
	proxy   *links.Proxy // nil without Options.Links
	disk    *disk        // of node 0; nil without Options.Disk

	certificates *certificates // nil without Options.TLS

	guestsMu sync.Mutex
	guests   []*Process // guarded by guestsMu
}

// Place is where a node runs: addresses and a data directory. Admin is empty without Options.Admin.
type Place struct{ HTTP, Peer, Advertised, Gossip, Admin, Data string }

// NewPlace chooses ports for a node whose data directory is dir.
func NewPlace(dir string) (Place, error) {
	addrs, err := FreeAddrs(3)
	if err != nil {
		return Place{}, err
	}
	return Place{HTTP: addrs[0], Peer: addrs[1], Advertised: addrs[1], Gossip: addrs[2], Data: dir}, nil
}

type node struct {
	Place
	log string

	mu      sync.Mutex
	binary  string   // guarded by mu
	process *Process // nil before the first start; guarded by mu
	crashes []error  // of earlier processes; guarded by mu
}

// startTimeout bounds the time in which a cluster must become ready.
const startTimeout = 2 * time.Minute

// NewCluster chooses ports and directories. Nothing runs yet.
func NewCluster(options Options) (*Cluster, error) {
	c := &Cluster{options: options}
	for i := range options.Nodes {
		name := "node" + strconv.Itoa(i)
		place, err := NewPlace(filepath.Join(options.Dir, name))
		if err != nil {
			return nil, err
		}
		if options.Admin {
			admin, err := FreeAddrs(1)
			if err != nil {
				return nil, err
			}
			place.Admin = admin[0]
		}
		c.nodes = append(c.nodes, &node{Place: place, log: filepath.Join(options.Dir, name+".log"), binary: options.Binary})
	}
	if options.TLS {
		var err error
		if c.certificates, err = makeCertificates(options); err != nil {
			return nil, err
		}
	}
	c.client = c.NewClient(0, callTimeout)
	if options.Links {
		if err := c.connect(); err != nil {
			return nil, err
		}
	}
	if options.Disk {
		// Without the rights the cluster runs all the same, and HasDisk says so.
		if mounted, err := mountDisk(filepath.Join(options.Dir, "disk0")); err == nil {
			c.disk, c.nodes[0].Data = mounted, filepath.Join(options.Dir, "disk0", "data")
		}
	}
	return c, nil
}

// StartCluster starts a cluster and waits until all nodes are ready.
func StartCluster(ctx context.Context, options Options) (*Cluster, error) {
	c, err := NewCluster(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err = c.StartAll(); err == nil {
		err = c.AwaitReady(ctx)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// connect puts a proxy in front of the peer ports.
func (c *Cluster) connect() error {
	var targets []string
	for _, n := range c.nodes {
		targets = append(targets, n.Peer)
	}
	c.net = links.New(nil)
	proxy, err := links.NewProxy(c.net, targets, func(conn net.Conn) (string, bool) {
		names := make(map[int]string)
		for i, n := range c.nodes {
			if process := c.Process(i); process != nil {
				names[process.PID()] = n.Peer
			}
		}
		for _, guest := range c.allGuests() {
			names[guest.PID()] = "guest"
		}
		return ownerOf(conn, names)
	})
	if err != nil {
		return err
	}
	c.proxy = proxy
	for i, n := range c.nodes {
		n.Advertised = proxy.Addr(i)
	}
	return nil
}

// StartGuest starts a process that is not a node of this cluster but talks to its nodes, behind no faults of links.
func (c *Cluster) StartGuest(command Command) (*Process, error) {
	process, err := Start(command)
	if err != nil {
		return nil, err
	}
	c.guestsMu.Lock()
	defer c.guestsMu.Unlock()
	c.guests = append(c.guests, process)
	return process, nil
}

func (c *Cluster) allGuests() []*Process {
	c.guestsMu.Lock()
	defer c.guestsMu.Unlock()
	return slices.Clone(c.guests)
}

// Close kills the nodes and guests, and takes down what was set up around them; directories stay.
func (c *Cluster) Close() {
	for _, guest := range c.allGuests() {
		guest.Kill()
	}
	c.KillAll()
	c.client.Close()
	if c.proxy != nil {
		c.proxy.Close()
	}
	if c.disk != nil {
		_ = c.disk.unmount() // detached at the latest when the machine goes down; nothing is left to do about it here
	}
}

// Size is the number of nodes, running or not.
func (c *Cluster) Size() int { return len(c.nodes) }

// HTTPAddr is where node i serves HTTP; a URL if it has TLS.
func (c *Cluster) HTTPAddr(i int) string {
	if c.certificates != nil {
		return "https://" + c.nodes[i].HTTP
	}
	return c.nodes[i].HTTP
}

// HTTPAddrs are the HTTP addresses of all nodes.
func (c *Cluster) HTTPAddrs() []string {
	var addrs []string
	for i := range c.nodes {
		addrs = append(addrs, c.HTTPAddr(i))
	}
	return addrs
}

// Place is where node i runs.
func (c *Cluster) Place(i int) Place { return c.nodes[i].Place }

// LogFile is the file that node i logs to.
func (c *Cluster) LogFile(i int) string { return c.nodes[i].log }

// Wipe deletes the data of node i, which must be down: it comes back as a new node.
func (c *Cluster) Wipe(i int) error { return os.RemoveAll(c.nodes[i].Data) }

// Use gives node i another binary from its next start on.
func (c *Cluster) Use(i int, binary string) {
	n := c.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	n.binary = binary
}

// Start starts node i, if it is not running.
func (c *Cluster) Start(i int) error {
	n := c.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil && n.process.Running() {
		return nil
	}
	process, err := StartLogged(n.log, c.Command(n.binary, n.Place))
	if err != nil {
		return fmt.Errorf("start node %d: %w", i, err)
	}
	if n.process != nil && n.process.Crashed() {
		n.crashes = append(n.crashes, n.crash(i))
	}
	n.process = process
	return nil
}

// Command is the command line of a node of this cluster that runs binary at a place.
func (c *Cluster) Command(binary string, at Place) Command {
	var join []string
	for _, n := range c.nodes {
		join = append(join, n.Gossip)
	}
	args := append([]string{
		"server", "--data-dir", at.Data, "--http-addr", at.HTTP, "--peer-addr", at.Peer, "--advertise-peer", at.Advertised,
		"--gossip-addr", at.Gossip, "--bootstrap-expect", strconv.Itoa(len(c.nodes)), "--join", strings.Join(join, ","),
		"--log-store", c.options.LogStore,
	}, c.options.Args...)
	if c.certificates != nil {
		args = append(args, c.certificates.args(at)...)
	}
	if at.Admin != "" {
		args = append(args, "--admin-addr", at.Admin)
	}
	return Command{
		Binary: binary,
		Args:   args,
		Env:    append([]string{"CREDITD_ROOT_KEY=" + RootKey, "GORACE=halt_on_error=1"}, c.secret()...),
	}
}

// secret is the variable with what the nodes share.
func (c *Cluster) secret() []string {
	if c.options.Open || c.certificates != nil {
		return nil
	}
	return []string{"CREDITD_CLUSTER_SECRET=" + ClusterSecret}
}

func (n *node) crash(i int) error {
	return fmt.Errorf("node %d ended on its own: %v; its log is %s", i, n.process.State(), n.log)
}

// Crashes lists the nodes that ended although nobody here ended them or expected their exit, also those that run again.
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

// Kill ends node i with SIGKILL and waits until it is gone. Killing a node that is down does nothing.
func (c *Cluster) Kill(i int) {
	if process := c.Process(i); process != nil {
		process.Kill()
	}
}

// KillAll kills all nodes at nearly the same moment.
func (c *Cluster) KillAll() {
	_ = c.each(func(i int) error { c.Kill(i); return nil })
}

// stopGrace is how long a node may take to end cleanly.
const stopGrace = 20 * time.Second

// Stop asks node i to end, as an operator does.
func (c *Cluster) Stop(i int) error {
	process := c.Process(i)
	if process == nil {
		return nil
	}
	if err := process.Stop(stopGrace); err != nil {
		return fmt.Errorf("node %d: %w", i, err)
	}
	return nil
}

// StopAll asks all nodes to end, as an operator does, and reports those that did not end cleanly.
func (c *Cluster) StopAll() error { return c.each(c.Stop) }

func (c *Cluster) each(do func(i int) error) error {
	problems := make([]error, len(c.nodes))
	var group sync.WaitGroup
	for i := range c.nodes {
		group.Go(func() { problems[i] = do(i) })
	}
	group.Wait()
	return errors.Join(problems...)
}
