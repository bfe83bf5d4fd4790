package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/chaos/failover"
	"github.com/creditd/creditd/scripts/launch"
)

// The limits of a failover, with the default timeouts of a node.
const (
	killLimit    = 1500 * time.Millisecond
	restartLimit = 500 * time.Millisecond
)

// runFailover measures what clients notice when nodes fail:
//
//	go run ./scripts/chaos failover -kills 10 -restarts 1 -clients 64
func runFailover(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config := failover.Config{Steady: time.Second, Log: stdout}
	flags := flag.NewFlagSet("chaos failover", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&config.Clients, "clients", 64, "concurrent clients")
	flags.IntVar(&config.Kills, "kills", 10, "how often the leader is killed")
	flags.IntVar(&config.Restarts, "restarts", 1, "how often each node is restarted in turn")
	logStore := flags.String("log-store", "wal", "boltdb or wal")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || config.Clients < 1 || config.Kills+config.Restarts < 1 {
		return 2
	}
	return launch.InWorkDir("chaos", "", stderr, func(dir string) error { return measureFailover(ctx, config, *logStore, dir, stdout) })
}

func measureFailover(ctx context.Context, config failover.Config, logStore, dir string, stdout io.Writer) error {
	report, err := performFailover(ctx, config, logStore, dir, false)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprint(stdout, report.Summary())
	if missed := report.Missed(killLimit, restartLimit); len(missed) > 0 {
		return errors.New(strings.Join(missed, "\n"))
	}
	return nil
}

func performFailover(ctx context.Context, config failover.Config, logStore, dir string, race bool) (report failover.Report, err error) {
	err = onCluster(ctx, dir, logStore, race, nil, func(cluster *launch.Cluster) (err error) {
		report, err = failover.Run(ctx, config, cluster)
		return err
	})
	return report, err
}

// onCluster builds creditd, starts three nodes, does something to them and stops them.
func onCluster(ctx context.Context, dir, logStore string, race bool, args []string, do func(*launch.Cluster) error) error {
	binary, err := launch.Build{Race: race}.Into(ctx, dir)
	if err != nil {
		return err
	}
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: binary, Dir: dir, Nodes: 3, LogStore: logStore, Args: args})
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := do(cluster); err != nil {
		return err
	}
	return cluster.StopAll()
}
