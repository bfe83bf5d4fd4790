// Command chaos starts a cluster of real creditd processes, hurts it under load, and checks that no credit was lost, spent twice or
// shown wrongly: the sums, the order of the log, and whether the answers are linearizable. It prints its seed; with the same seed it
// hurts the nodes in the same order.
//
//	go run ./scripts/chaos -duration 30s -seed 7 -nodes 3 -log-store wal
//	go run ./scripts/chaos -runs 50
//	go run ./scripts/chaos failover
//	go run ./scripts/chaos storm
//
// Exit code 0: every promise kept. 1: a violation, or a run could not be carried out; record, pictures, logs and data stay, their
// directory is printed, and the command line that does it again. 2: wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/creditd/creditd/scripts/chaos/drill"
)

const (
	rootKey   = "root_chaos_0123456789abcdef"
	stopGrace = 20 * time.Second
)

type settings struct {
	drill    drill.Config
	runs     int
	nodes    int
	logStore string // empty: each in turn
	race     bool
	dir      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "failover" {
		return runFailover(ctx, args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == "storm" {
		return runStorm(ctx, args[1:], stdout, stderr)
	}
	s, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	dir, err := workDir(s.dir)
	if err == nil {
		err = campaign(ctx, s, dir, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	_ = os.RemoveAll(dir)
	return 0
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{drill: drill.DefaultConfig()}
	s.drill.RootKey = rootKey
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&s.drill.Duration, "duration", s.drill.Duration, "time under load and faults")
	flags.Uint64Var(&s.drill.Seed, "seed", 0, "what to repeat; 0 draws one")
	flags.IntVar(&s.drill.Clients, "clients", s.drill.Clients, "concurrent clients")
	flags.DurationVar(&s.drill.Patience, "patience", s.drill.Patience, "limit of each wait for the cluster to recover")
	flags.IntVar(&s.nodes, "nodes", 3, "nodes of the cluster: 1, 3, 5 or 7")
	flags.IntVar(&s.runs, "runs", 1, "how many runs, each on a new cluster, with seeds that count up")
	flags.StringVar(&s.logStore, "log-store", "", "boltdb or wal (default: boltdb with an even seed, wal with an odd one)")
	flags.BoolVar(&s.race, "race", false, "build creditd with the race detector")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	flags.Func("faults", "comma-separated `list` of "+join(drill.Faults())+" (default all)", func(list string) error {
		s.drill.Faults = nil
		for name := range strings.SplitSeq(list, ",") {
			fault, err := drill.ParseFault(name)
			if err != nil {
				return err
			}
			s.drill.Faults = append(s.drill.Faults, fault)
		}
		return nil
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
	case s.nodes < 1 || s.nodes > 7 || s.nodes%2 == 0:
		err = errors.New("nodes must be 1, 3, 5 or 7")
	case s.logStore != "" && s.logStore != "boltdb" && s.logStore != "wal":
		err = errors.New("log-store must be boltdb or wal")
	case s.runs < 1 || s.drill.Clients < 1 || s.drill.Duration <= 0 || s.drill.Patience <= 0:
		err = errors.New("runs, clients, duration and patience must be positive")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
	}
	for s.drill.Seed == 0 {
		s.drill.Seed = rand.Uint64() >> 32
	}
	return s, err
}

func workDir(dir string) (string, error) {
	if dir != "" {
		return dir, os.MkdirAll(dir, 0o755)
	}
	if err := os.MkdirAll("chaos-out", 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("chaos-out", time.Now().Format("20060102-150405-"))
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

func join(faults []drill.Fault) string {
	var names []string
	for _, fault := range faults {
		names = append(names, string(fault))
	}
	return strings.Join(names, ",")
}
