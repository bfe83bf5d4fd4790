package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

const (
	rootKey      = "root_bench_0123456789abcdef"
	constantName = "gin, constant answer"
	patience     = 30 * time.Second
)

// system is something to measure. Its address is asked for before each round, since leaders move.
type system struct {
	name string
	addr func() (string, error)
	args []string // of creditd bench, beside the common ones
}

// batched is what keys.verifyKeys is measured as: its rate is one of verifications.
var batched = []string{"--batch", "1000"}

// fleet starts systems and remembers how to stop them.
type fleet struct {
	settings settings
	dir      string
	creditd  string // the binaries
	peer     string
	notes    io.Writer

	systems []system
	stops   []func()
}

func (f *fleet) stop() {
	for _, stop := range f.stops {
		stop()
	}
}

func (f *fleet) start(ctx context.Context) error {
	var err error
	if f.creditd, err = local.Build(ctx, f.dir, false); err != nil {
		return err
	}
	if f.peer, err = local.BuildPackage(ctx, f.dir, "./scripts/bench/peer", false); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		f.startConstant,
		func(ctx context.Context) error { return f.startNode(ctx, "creditd, 1 node, boltdb", "boltdb") },
		func(ctx context.Context) error { return f.startNode(ctx, "creditd, 1 node, wal", "wal") },
		f.startThree,
		func(ctx context.Context) error {
			return f.startRedis(ctx, "gin + redis, nothing on disk", "--save", "", "--appendonly", "no")
		},
		func(ctx context.Context) error {
			return f.startRedis(ctx, "gin + redis, appendfsync always", "--save", "", "--appendonly", "yes", "--appendfsync", "always")
		},
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func fixed(addr string) func() (string, error) {
	return func() (string, error) { return addr, nil }
}

// launch starts a process in a directory of its own and stops it at the end.
func (f *fleet) launch(name, binary string, args ...string) (*local.Process, error) {
	env := append(os.Environ(), "CREDITD_ROOT_KEY="+rootKey)
	process, err := local.Launch(filepath.Join(f.dir, name+".log"), env, binary, args...)
	if err == nil {
		f.stops = append(f.stops, process.Kill)
	}
	return process, err
}

func awaitHTTP(ctx context.Context, addr string, process *local.Process) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	return local.Await(ctx, addr+" to be ready", func(context.Context) error {
		if !process.Running() {
			cancel()
			return errors.New("the process ended")
		}
		response, err := client.Get("http://" + addr + "/readyz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	})
}

func (f *fleet) startConstant(ctx context.Context) error {
	addrs, err := local.FreeAddrs(1)
	if err != nil {
		return err
	}
	process, err := f.launch("constant", f.peer, "constant", addrs[0])
	if err != nil {
		return err
	}
	f.systems = append(f.systems, system{name: constantName, addr: fixed(addrs[0])})
	return awaitHTTP(ctx, addrs[0], process)
}

func (f *fleet) startNode(ctx context.Context, name, logStore string) error {
	if !f.settings.wanted(name) {
		return nil
	}
	cluster, err := f.startCluster(ctx, "one-"+logStore, 1, logStore)
	if err != nil {
		return err
	}
	f.systems = append(f.systems, system{name: name, addr: fixed(cluster.HTTPAddr(0))},
		system{name: name + ", batches of 1000", addr: fixed(cluster.HTTPAddr(0)), args: batched})
	return nil
}

func (f *fleet) startCluster(ctx context.Context, name string, nodes int, logStore string) (*local.Cluster, error) {
	dir := filepath.Join(f.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	cluster, err := local.NewCluster(local.Options{Binary: f.creditd, Dir: dir, Nodes: nodes, LogStore: logStore, RootKey: rootKey})
	if err != nil {
		return nil, err
	}
	f.stops = append(f.stops, cluster.KillAll)
	if err := cluster.StartAll(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return cluster, cluster.AwaitReady(ctx)
}

// startThree measures one cluster per log store from two sides.
func (f *fleet) startThree(ctx context.Context) error {
	for _, logStore := range []string{"boltdb", "wal"} {
		sides := []struct {
			name  string
			leads bool
		}{
			{"creditd, 3 nodes, " + logStore + ", through the leader", true},
			{"creditd, 3 nodes, " + logStore + ", through a follower", false},
		}
		if !f.settings.wanted(sides[0].name) && !f.settings.wanted(sides[1].name) {
			continue
		}
		cluster, err := f.startCluster(ctx, "three-"+logStore, 3, logStore)
		if err != nil {
			return err
		}
		for _, side := range sides {
			if f.settings.wanted(side.name) {
				f.systems = append(f.systems, system{name: side.name, addr: func() (string, error) { return nodeOf(cluster, side.leads) }})
			}
		}
	}
	return nil
}

// nodeOf is the address of the leader, or of a follower.
func nodeOf(cluster *local.Cluster, leads bool) (string, error) {
	client := wire.NewClient(rootKey, patience)
	defer client.Close()
	status, err := client.Status(cluster.HTTPAddr(0))
	if err != nil {
		return "", err
	}
	for _, addr := range cluster.HTTPAddrs() {
		if leader := status.LeaderAddr(); leader != "" && (addr == leader) == leads {
			return addr, nil
		}
	}
	return "", errors.New("the cluster has no leader")
}

func (f *fleet) startRedis(ctx context.Context, name string, args ...string) error {
	if !f.settings.wanted(name) {
		return nil
	}
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		_, _ = fmt.Fprintf(f.notes, "note: no redis-server on PATH: %q is left out\n", name)
		return nil
	}
	addrs, err := local.FreeAddrs(2)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(addrs[1])
	if err != nil {
		return err
	}
	dir := filepath.Join(f.dir, "redis-"+port)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	redis, err := f.launch("redis-"+port, binary, append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", dir}, args...)...)
	if err != nil {
		return err
	}
	listening, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = local.Await(listening, "redis", func(context.Context) error {
		if !redis.Running() {
			cancel()
			return errors.New("redis-server ended")
		}
		socket, err := net.Dial("tcp", addrs[1])
		if err != nil {
			return err
		}
		return socket.Close()
	})
	if err != nil {
		return err
	}
	process, err := f.launch("gin-redis-"+port, f.peer, "redis", addrs[0], addrs[1], strconv.Itoa(f.settings.connections))
	if err != nil {
		return err
	}
	f.systems = append(f.systems, system{name: name, addr: fixed(addrs[0])})
	return awaitHTTP(ctx, addrs[0], process)
}
