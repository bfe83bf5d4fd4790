package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/creditd/creditd/scripts/chaos/storm"
	"github.com/creditd/creditd/scripts/launch"
)

// runStorm sends each debit several times and demands that it is executed once:
//
//	go run ./scripts/chaos storm -charges 1000000 -leader-changes 30
func runStorm(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config := storm.Config{Log: stdout}
	flags := flag.NewFlagSet("chaos storm", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&config.Debits, "charges", 1_000_000, "how many debits, each sent one to five times")
	flags.IntVar(&config.Workers, "workers", 32, "debits under way at a time")
	flags.IntVar(&config.LeaderChanges, "leader-changes", 30, "how often the leader changes meanwhile")
	flags.IntVar(&config.Installs, "copies", 3, "how often a node loses its data and is sent a full snapshot")
	flags.Uint64Var(&config.Seed, "seed", 0, "what to repeat; 0 draws one")
	logStore := flags.String("log-store", "wal", "boltdb or wal")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || config.Debits < 1 || config.Workers < 1 {
		return 2
	}
	config.Seed = launch.Seed(config.Seed)
	_, _ = fmt.Fprintf(stdout, "seed %d\n", config.Seed)
	return launch.InWorkDir("chaos", "", stderr, func(dir string) error {
		report, err := performStorm(ctx, config, *logStore, dir, false)
		if err == nil {
			_, _ = fmt.Fprintln(stdout, report)
		}
		return err
	})
}

func performStorm(ctx context.Context, config storm.Config, logStore, dir string, race bool) (report storm.Report, err error) {
	// Restarts begin with a snapshot, and a new node needs one: on a busy machine an entry holds many debits.
	args := []string{"--snapshot-threshold", "20", "--snapshot-interval", "1s", "--trailing-logs", "40"}
	err = onCluster(ctx, dir, logStore, race, args, func(cluster *launch.Cluster) (err error) {
		report, err = storm.Run(ctx, config, cluster)
		return err
	})
	return report, err
}
