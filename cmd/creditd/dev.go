package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// devReadyTimeout bounds the first election of a single node, with a large log to replay before it.
const devReadyTimeout = 2 * time.Minute

var _ = register(registration{use: "dev", short: "run one node with everything embedded, for development",
	long: `Runs one node with everything embedded, for development, until SIGINT or SIGTERM. It listens on
this machine only. The root key and requests to paste go to stdout, logs to stderr.`,
	make: func() command { return newDev() }})

// devCommand is `creditd dev`.
type devCommand struct {
	nodeConfig

	demo      bool
	temporary bool // the data directory is made for this run
}

func newDev() *devCommand {
	c := &devCommand{nodeConfig: defaultNode()}
	c.store.ReserveBytes = 128 << 20
	c.log.level = "error"                                                                 // raft warns of the election that every start begins with
	c.http.shutdownTimeout, c.http.drainDelay = 5*time.Second, 0                          // no load balancer watches it
	c.cluster.HeartbeatTimeout, c.cluster.ElectionTimeout = leastHeartbeat, leastElection // alone it waits for nobody
	c.cluster.BootstrapExpect = 1
	c.solo, c.cluster.AdvertisePeer = true, defaultPeerAddr
	return c
}

func (c *devCommand) bind(s *settings.Set) {
	s.Group("Node")
	s.Switch(&c.demo, "demo", "make a sample API and an identity with 100 credits that two keys share")
	settings.Value(s, &c.http.addr, "http-addr", "HOST:PORT", "where clients connect; a loopback address", parseAddress)
	s.Text(&c.rootKey, "root-key", "KEY", "the root key; without it the node makes one")
	c.bindStore(s, "keep the data here; without it in a temporary directory that is removed at exit")
	c.log.bind(s)
}

func (c *devCommand) check(_ invocation, s *settings.Set) {
	if s.Fine("http-addr") && !isLoopback(c.http.addr) {
		s.Refuse("http-addr", "%s can be reached from other machines; 'creditd dev' listens on loopback only (127.0.0.1, [::1], localhost), "+
			"use 'creditd server --bootstrap-expect 1' beyond this machine", c.http.addr)
	}
	if c.rootKey != "" {
		if err := checkRootKey(c.rootKey, 1); err != nil {
			s.Refuse("root-key", "%v", err)
		}
		warnOfArgument(s, "root-key", "CREDITD_ROOT_KEY")
	}
	warnOfGuests(s, c.store.Dir)
	c.cluster.AdvertiseHTTP = c.http.addr
	c.http.checkConnections(s)
}

func (c *devCommand) run(in invocation) error {
	remove, err := c.chooseDirectory()
	if err != nil {
		return err
	}
	defer remove()
	if err := c.chooseRootKey(); err != nil {
		return err
	}
	ctx, stop := untilSignal(in, nil) // the terminal that is closed sends SIGHUP
	defer stop()
	log := c.log.logger(in)
	return runNode(ctx, c.nodeConfig, log, func(ctx context.Context, r *running) error {
		return c.welcome(ctx, in, r, log)
	})
}

// devRootKeyFile keeps, inside a data directory that stays, the root key that was made for it.
const devRootKeyFile = "dev-root-key"

// chooseDirectory makes a directory for the run if none is named. The node gets
// a directory inside, so that a name in the temporary directory never has to
// pass for an empty data directory.
func (c *devCommand) chooseDirectory() (remove func(), err error) {
	if c.store.Dir != "" {
		return func() {}, nil
	}
	made, err := os.MkdirTemp("", "creditd-dev-")
	if err != nil {
		return nil, fmt.Errorf("no temporary directory: %w; name one with --data-dir", err)
	}
	c.store.Dir, c.temporary = filepath.Join(made, "data"), true
	return func() { _ = os.RemoveAll(made) }, nil
}

// chooseRootKey takes the named key, or the one that an earlier run kept, or
// makes one.
func (c *devCommand) chooseRootKey() error {
	if c.rootKey != "" {
		return nil
	}
	kept := filepath.Join(c.store.Dir, devRootKeyFile)
	key, err := readSecretFile(kept)
	switch {
	case err == nil:
		c.rootKey = key
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the root key of an earlier run cannot be read: %w; name it with --root-key, or name a new --data-dir", err)
	}
	c.rootKey = mint.RootKey()
	if !c.temporary {
		c.keepRootKeyIn = kept
	}
	return nil
}

// welcome prints how to talk to the node.
func (c *devCommand) welcome(ctx context.Context, in invocation, r *running, log *slog.Logger) error {
	waiting, cancel := context.WithTimeout(ctx, devReadyTimeout)
	defer cancel()
	err := r.awaitReady(waiting, log)
	if ctx.Err() != nil {
		return nil // it was told to stop first
	}
	if err != nil {
		return err
	}
	node := client.New(client.Config{Node: r.url, RootKey: c.rootKey, Timeout: time.Minute})
	defer node.Close()
	b := banner{url: r.url, rootKey: c.rootKey, dataDir: c.store.Dir, temporary: c.temporary}
	if err := c.prepare(ctx, node, &b); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	return b.print(in.stdout)
}

// prepare checks the root key against the ledger and makes the sample data.
func (c *devCommand) prepare(ctx context.Context, node *client.Client, b *banner) error {
	answer := node.Call(ctx, "cluster.getStatus", struct{}{}, nil)
	if answer.Status == http.StatusUnauthorized {
		return fmt.Errorf("--data-dir %s holds a ledger with another root key; name that with --root-key, or name a new directory", c.store.Dir)
	}
	if answer.Err != nil || !c.demo {
		return answer.Err
	}
	sample, err := makeSample(ctx, node)
	if err != nil {
		return fmt.Errorf("--demo: %w", err)
	}
	b.sample = &sample
	return nil
}
