package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/storm"
)

// runStorm sends charges again and again and demands that each is taken once:
//
//	go run ./scripts/chaos storm -charges 1000000 -leader-changes 30
func runStorm(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config := storm.Config{RootKey: rootKey, Log: stdout}
	flags := flag.NewFlagSet("chaos storm", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&config.Charges, "charges", 1_000_000, "how many charges, each sent one to five times")
	flags.IntVar(&config.Workers, "workers", 32, "charges under way at a time")
	flags.IntVar(&config.LeaderChanges, "leader-changes", 30, "how often the leader changes meanwhile")
	flags.IntVar(&config.Copies, "copies", 3, "how often a node loses its data and is sent everything")
	flags.Uint64Var(&config.Seed, "seed", 0, "what to repeat; 0 draws one")
	logStore := flags.String("log-store", "wal", "boltdb or wal")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || config.Charges < 1 || config.Workers < 1 {
		return 2
	}
	for config.Seed == 0 {
		config.Seed = rand.Uint64() >> 32
	}
	_, _ = fmt.Fprintf(stdout, "seed %d\n", config.Seed)
	dir, err := workDir("")
	if err == nil {
		var report storm.Report
		if report, err = performStorm(ctx, config, *logStore, dir, false); err == nil {
			_, _ = fmt.Fprintln(stdout, report)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "chaos: %v\nlogs and data: %s (seed %d)\n", err, dir, config.Seed)
		return 1
	}
	_ = os.RemoveAll(dir)
	return 0
}

func performStorm(ctx context.Context, config storm.Config, logStore, dir string, race bool) (report storm.Report, err error) {
	binary, err := local.Build(ctx, dir, race)
	if err != nil {
		return report, err
	}
	cluster, err := local.NewCluster(local.Options{
		Binary: binary, Dir: dir, Nodes: 3, LogStore: logStore, RootKey: rootKey,
		// So that restarts begin with a snapshot, and a newcomer cannot do without one: on a busy machine an entry holds many charges.
		Args: []string{"--snapshot-threshold", "20", "--snapshot-interval", "1s", "--trailing-logs", "40"},
	})
	if err != nil {
		return report, err
	}
	defer cluster.Close()
	if err := cluster.StartAll(); err != nil {
		return report, err
	}
	if err := cluster.AwaitReady(ctx); err != nil {
		return report, err
	}
	if report, err = storm.Run(ctx, config, cluster); err != nil {
		return report, err
	}
	return report, cluster.StopAll(stopGrace)
}
