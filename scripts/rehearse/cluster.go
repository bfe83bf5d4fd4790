package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

const (
	rootKey = "root_of_the_rehearsal"
	grant   = 1_000_000_000
	most    = 5 // nodes
)

// cluster is what the operator has: machines, files, and a way to run the command.
type cluster struct {
	dir     string
	binary  string // what the operator and newly started nodes run
	next    string // the build with one more ledger version
	nodes   [most]node
	trust   *tls.Config
	key     string // that clients spend
	keyID   string
	ledger  int64 // what the balance must be
	backups int
}

// node is one machine.
type node struct {
	launch.Place

	name, log string
	process   *launch.Process // nil: it does not run
}

// prepare builds, makes the secrets and the certificates, and starts nothing.
func prepare(ctx context.Context, dir string) (c *cluster, err error) {
	c = &cluster{dir: dir, ledger: grant}
	if c.binary, err = (launch.Build{}).Into(ctx, filepath.Join(dir, "build")); err != nil {
		return nil, err
	}
	if c.next, err = (launch.Build{Tags: "nextversion"}).Into(ctx, filepath.Join(dir, "next")); err != nil {
		return nil, err
	}
	if _, err := c.creditd(ctx, "tls", "init"); err != nil {
		return nil, err
	}
	if c.trust, err = launch.Trust(c.file("ca.crt")); err != nil {
		return nil, err
	}
	for i := range c.nodes {
		n := &c.nodes[i]
		n.name = fmt.Sprintf("node%d", i)
		if n.Place, err = launch.NewPlace(c.file(n.name)); err != nil {
			return nil, err
		}
		n.log = c.file(n.name + ".log")
		if err := c.makeCertificate(ctx, n.name); err != nil {
			return nil, err
		}
	}
	secret, err := c.creditd(ctx, "secret", "new")
	if err != nil {
		return nil, err
	}
	return c, errors.Join(c.write("gossip.key", secret), c.write("root.key", rootKey))
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) write(name, text string) error {
	return os.WriteFile(c.file(name), []byte(text), 0o600)
}

func (c *cluster) makeCertificate(ctx context.Context, name string) error {
	_, err := c.creditd(ctx, "tls", "node", "--name", name, "--host", "127.0.0.1")
	return err
}

// creditd runs a command of the operator in the directory of the rehearsal and returns what it printed.
func (c *cluster) creditd(ctx context.Context, args ...string) (string, error) {
	var addrs []string
	for i := range c.nodes {
		if c.nodes[i].process != nil {
			addrs = append(addrs, "https://"+c.nodes[i].HTTP)
		}
	}
	command := exec.CommandContext(ctx, c.binary, args...)
	command.Dir = c.dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "CREDITD_CA_FILE=ca.crt", "CREDITD_ROOT_KEY_FILE=root.key", "CREDITD_ADDR=" + strings.Join(addrs, ",")}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("creditd %s: %w: %s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// start starts a node. The first three are told to found a cluster together, which has no effect once there is one.
func (c *cluster) start(i int) (err error) {
	n := &c.nodes[i]
	args := []string{
		"server", "--data-dir", n.Data, "--node-name", n.name, "--http-addr", n.HTTP, "--peer-addr", n.Peer, "--gossip-addr", n.Gossip,
		"--join", c.nodes[0].Gossip + "," + c.nodes[1].Gossip + "," + c.nodes[2].Gossip, "--gossip-key-file", c.file("gossip.key"),
		"--http-tls-cert", c.file(n.name + ".crt"), "--http-tls-key", c.file(n.name + ".key"),
		"--peer-tls-cert", c.file(n.name + ".crt"), "--peer-tls-key", c.file(n.name + ".key"), "--peer-tls-ca", c.file("ca.crt"),
		"--root-key-file", c.file("root.key"),
	}
	if i < 3 {
		args = append(args, "--bootstrap-expect", "3")
	}
	n.process, err = launch.StartLogged(n.log, launch.Command{Binary: c.binary, Args: args})
	return err
}

// stop stops a node in order.
func (c *cluster) stop(i int) error {
	n := &c.nodes[i]
	err := n.process.Stop(time.Minute)
	n.process = nil
	return err
}

// lose kills a node and removes its data.
func (c *cluster) lose(i int) error {
	n := &c.nodes[i]
	if n.process != nil {
		n.process.Kill()
		n.process = nil
	}
	return os.RemoveAll(n.Data)
}

func (c *cluster) close() {
	for i := range c.nodes {
		if p := c.nodes[i].process; p != nil {
			p.Kill()
		}
	}
}

// hangup tells the running nodes to load their files.
func (c *cluster) hangup() error {
	var failed []error
	for i := range c.nodes {
		if p := c.nodes[i].process; p != nil {
			failed = append(failed, p.Signal(syscall.SIGHUP))
		}
	}
	return errors.Join(failed...)
}

func (c *cluster) client(i int, timeout time.Duration) *client.Client {
	return client.New(client.Config{Node: "https://" + c.nodes[i].HTTP, RootKey: rootKey, Timeout: timeout, DialTimeout: 2 * time.Second, TLS: c.trust})
}

// call makes one request at a running node.
func (c *cluster) call(ctx context.Context, i int, endpoint string, request, result any) error {
	node := c.client(i, 10*time.Second)
	defer node.Close()
	return node.Call(ctx, endpoint, request, result).Err
}

func (c *cluster) awaitReady(ctx context.Context, i int) error {
	node := c.client(i, 2*time.Second)
	defer node.Close()
	return launch.Await(ctx, c.nodes[i].name+" to be ready", func(ctx context.Context) error {
		if !c.nodes[i].process.Running() {
			return fmt.Errorf("it ended; its log is %s", c.nodes[i].log)
		}
		return node.Ready(ctx)
	})
}

// awaitVoters waits until node i sees so many voters, all alive, and no other node.
func (c *cluster) awaitVoters(ctx context.Context, i, want int) error {
	return launch.Await(ctx, fmt.Sprintf("%d voters", want), func(ctx context.Context) error {
		var status launch.Status
		if err := c.call(ctx, i, "cluster.getStatus", struct{}{}, &status); err != nil {
			return err
		}
		voters := 0
		for _, n := range status.Nodes {
			if n.Voter && n.Role != "unknown" {
				voters++
			}
		}
		if voters != want || status.LeaderID == "" {
			return fmt.Errorf("%d of %d nodes are voters that answer, the leader is %q", voters, len(status.Nodes), status.LeaderID)
		}
		return nil
	})
}

// found starts three nodes and makes the key that clients spend.
func (c *cluster) found(ctx context.Context) error {
	for i := range 3 {
		if err := c.start(i); err != nil {
			return err
		}
	}
	for i := range 3 {
		if err := c.awaitReady(ctx, i); err != nil {
			return err
		}
	}
	var made struct {
		APIID string `json:"apiId"`
		Key   string `json:"key"`
		KeyID string `json:"keyId"`
	}
	if err := c.call(ctx, 0, "apis.createApi", map[string]any{"name": "rehearsal"}, &made); err != nil {
		return err
	}
	if err := c.call(ctx, 0, "keys.createKey", map[string]any{"apiId": made.APIID, "credits": map[string]any{"remaining": grant}}, &made); err != nil {
		return err
	}
	c.key, c.keyID = made.Key, made.KeyID
	return nil
}

// balance asks node i.
func (c *cluster) balance(ctx context.Context, i int) (int64, error) {
	var key struct {
		Credits struct {
			Remaining int64 `json:"remaining"`
		} `json:"credits"`
	}
	err := c.call(ctx, i, "keys.getKey", map[string]any{"keyId": c.keyID}, &key)
	return key.Credits.Remaining, err
}

// checkBalance compares the balance on every running node with what the clients were told.
func (c *cluster) checkBalance(ctx context.Context, l *load) error {
	c.ledger -= l.acknowledged.Load()
	return c.expectBalance(ctx, c.ledger)
}

func (c *cluster) expectBalance(ctx context.Context, want int64) error {
	for i := range c.nodes {
		if c.nodes[i].process == nil {
			continue
		}
		have, err := c.balance(ctx, i)
		if err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("%s has a balance of %d, and %d is right", c.nodes[i].name, have, want)
		}
	}
	return nil
}
