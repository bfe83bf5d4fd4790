// Command chaos starts a cluster of real creditd processes, kills them under load, and checks that no credit was lost,
// spent twice or shown wrongly. It prints its seed; with the same seed it hurts the nodes in the same order.
//
//	go run ./scripts/chaos -duration 60s -seed 7 -nodes 3 -log-store boltdb
//
// Exit code 0: every promise kept. 1: a violation, or the drill could not be carried out; logs and data stay, and
// their directory is printed. 2: wrong usage.
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
	"github.com/creditd/creditd/scripts/chaos/local"
)

const (
	rootKey   = "root_chaos_0123456789abcdef"
	stopGrace = 20 * time.Second
)

type settings struct {
	drill    drill.Config
	nodes    int
	logStore string
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
	s, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	_, _ = fmt.Fprintf(stdout, "seed %d\n", s.drill.Seed)
	s.drill.Log = stdout
	dir, err := workDir(s.dir)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	result, err := perform(ctx, s, dir)
	if err == nil || len(result.Violations) > 0 {
		_, _ = fmt.Fprintf(stdout, "\n%v", result)
	}
	if err == nil && result.OK() {
		_ = os.RemoveAll(dir)
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chaos:", err)
	}
	_, _ = fmt.Fprintf(stderr, "logs and data: %s (seed %d)\n", dir, s.drill.Seed)
	return 1
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
	flags.StringVar(&s.logStore, "log-store", "boltdb", "boltdb or wal")
	flags.BoolVar(&s.race, "race", false, "build creditd with the race detector")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	flags.Func("faults", "comma-separated `list` of kill, kill-leader, kill-all, pause-leader (default all)", func(list string) error {
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
	case s.logStore != "boltdb" && s.logStore != "wal":
		err = errors.New("log-store must be boltdb or wal")
	case s.drill.Clients < 1 || s.drill.Duration <= 0 || s.drill.Patience <= 0:
		err = errors.New("clients, duration and patience must be positive")
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

// perform builds, starts, drills and stops.
func perform(ctx context.Context, s settings, dir string) (result drill.Result, err error) {
	binary, err := local.Build(ctx, dir, s.race)
	if err != nil {
		return result, err
	}
	cluster, err := local.NewCluster(local.Options{Binary: binary, Dir: dir, Nodes: s.nodes, LogStore: s.logStore, RootKey: rootKey})
	if err != nil {
		return result, err
	}
	defer cluster.KillAll()
	if err := cluster.StartAll(); err != nil {
		return result, err
	}
	ready, cancel := context.WithTimeout(ctx, s.drill.Patience)
	defer cancel()
	if err := cluster.AwaitReady(ready); err != nil {
		return result, err
	}
	if result, err = drill.Run(ctx, s.drill, cluster); err != nil {
		return result, err
	}
	return result, cluster.StopAll(stopGrace)
}
