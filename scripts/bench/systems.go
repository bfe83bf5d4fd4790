package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

const (
	constantName = "gin, constant answer"
	startTimeout = 30 * time.Second
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
	if f.creditd, err = (launch.Build{}).Into(ctx, f.dir); err != nil {
		return err
	}
	if f.peer, err = (launch.Build{Package: "./scripts/bench/peer"}).Into(ctx, f.dir); err != nil {
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

// launch starts a process and stops it at the end.
func (f *fleet) launch(name, binary string, args ...string) (*launch.Process, error) {
	process, err := launch.StartLogged(filepath.Join(f.dir, name+".log"), launch.Command{Binary: binary, Args: args})
	if err == nil {
		f.stops = append(f.stops, process.Kill)
	}
	return process, err
}

func awaitReady(ctx context.Context, addr string, process *launch.Process) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return launch.AwaitReady(ctx, addr, process)
}

func (f *fleet) startConstant(ctx context.Context) error {
	addrs, err := launch.FreeAddrs(1)
	if err != nil {
		return err
	}
	process, err := f.launch("constant", f.peer, "constant", addrs[0])
	if err != nil {
		return err
	}
	f.systems = append(f.systems, system{name: constantName, addr: fixed(addrs[0])})
	return awaitReady(ctx, addrs[0], process)
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

func (f *fleet) startCluster(ctx context.Context, name string, nodes int, logStore string) (*launch.Cluster, error) {
	dir := filepath.Join(f.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: f.creditd, Dir: dir, Nodes: nodes, LogStore: logStore})
	if err == nil {
		f.stops = append(f.stops, cluster.Close)
	}
	return cluster, err
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
				f.systems = append(f.systems, system{name: side.name, addr: func() (string, error) { return nodeOf(ctx, cluster, side.leads) }})
			}
		}
	}
	return nil
}

// nodeOf is the address of the leader, or of a follower.
func nodeOf(ctx context.Context, cluster *launch.Cluster, leads bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var i int
	var err error
	if leads {
		i, _, err = cluster.Leader(ctx, 0)
	} else {
		i, err = cluster.Follower(ctx)
	}
	return cluster.HTTPAddr(i), err
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
	addrs, err := launch.FreeAddrs(2)
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
	listening, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = launch.Await(listening, "redis", func(context.Context) error {
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
	return awaitReady(ctx, addrs[0], process)
}
