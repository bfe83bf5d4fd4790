// Command chaos starts a cluster of real creditd processes, injects faults under load, and checks that no credit was lost, spent
// twice or shown wrongly: the answers must come out the same when replayed in log order, and they must be linearizable. It prints
// its seed; the same seed injects the same faults in the same order.
//
//	go run ./scripts/chaos -duration 30s -seed 7 -nodes 3 -log-store wal
//	go run ./scripts/chaos -runs 50
//	go run ./scripts/chaos failover
//	go run ./scripts/chaos storm
//	go run ./scripts/chaos replace
//
// Exit code 0: every promise was kept. 1: a promise was broken, or a run could not be completed; the record, pictures, logs and data
// stay, and the command prints their directory and the command line that repeats the run. 2: wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/launch"
)

type settings struct {
	faultrun.Config
	runs     int
	nodes    int
	logStore string // empty: each in turn
	race     bool
	dir      string
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "failover" {
		return runFailover(ctx, args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "storm" {
		return runStorm(ctx, args[1:], stdout, stderr)
	}
	replace := len(args) > 0 && args[0] == "replace"
	if replace {
		args = args[1:]
	}
	s, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	if replace {
		return runReplace(ctx, s, stdout, stderr)
	}
	if s.nodes == 0 {
		s.nodes = 3
	}
	return launch.InWorkDir("chaos", s.dir, stderr, func(dir string) error { return campaign(ctx, s, dir, stdout) })
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{Config: faultrun.DefaultConfig()}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&s.Duration, "duration", s.Duration, "time under load and faults")
	flags.Uint64Var(&s.Seed, "seed", 0, "what to repeat; 0 draws one")
	flags.IntVar(&s.Clients, "clients", s.Clients, "concurrent clients")
	flags.DurationVar(&s.Timeout, "patience", s.Timeout, "limit of each wait for the cluster to recover")
	flags.IntVar(&s.nodes, "nodes", 0, "nodes of the cluster: 1, 3, 5 or 7 (default 3; for replace 3, then 5)")
	flags.IntVar(&s.runs, "runs", 1, "how many runs, each on a new cluster, with seeds that count up")
	flags.StringVar(&s.logStore, "log-store", "", "boltdb or wal (default: boltdb with an even seed, wal with an odd one)")
	flags.BoolVar(&s.race, "race", false, "build creditd with the race detector")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	flags.Func("faults", "comma-separated `list` of "+faultrun.Names(faultrun.Faults())+" (default all)", func(list string) (err error) {
		s.Faults, err = faultrun.ParseFaults(list)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.logStore == "bolt" {
		s.logStore = "boltdb"
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.nodes != 0 && (s.nodes < 1 || s.nodes > 7 || s.nodes%2 == 0):
		err = errors.New("nodes must be 1, 3, 5 or 7")
	case s.logStore != "" && s.logStore != "boltdb" && s.logStore != "wal":
		err = errors.New("log-store must be boltdb or wal")
	case s.runs < 1 || s.Clients < 1 || s.Duration <= 0 || s.Timeout <= 0:
		err = errors.New("runs, clients, duration and patience must be positive")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
	}
	s.Seed = launch.Seed(s.Seed)
	return s, err
}
