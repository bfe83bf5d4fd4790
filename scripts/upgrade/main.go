// Command upgrade runs two builds of creditd in one cluster of real processes, and checks that an upgrade keeps every promise. It
// upgrades node by node in every order, rolls back while the ledger version is low, lets nodes of both builds lead, injects the faults
// of scripts/chaos while the builds are mixed, and sees that the older build refuses a cluster whose ledger version has risen.
//
//	go run ./scripts/upgrade -duration 12m
//	go run ./scripts/upgrade -old path/to/creditd
//
// The older build is this checkout, the newer one this checkout with the tag nextversion, unless -old or -new name a binary. With -old
// the newer build is this checkout.
//
// Exit code 0: every promise was kept. 1: a promise was broken, or a round could not be completed; logs and data stay, and the command
// prints their directory and the command line that repeats the round. 2: wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/launch"
)

type settings struct {
	duration time.Duration // of faults, over all rounds
	seed     uint64
	orders   []order
	faults   []faultrun.Fault // empty: all that the builds can be hurt with
	logStore string           // empty: each in turn
	oldPath  string           // binaries; empty: built
	newPath  string
	dir      string
	clients  int
	steady   time.Duration // of load before and after each step
	newcomer bool          // start a new node of the older build, too, once the version has risen
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	return launch.InWorkDir("upgrade", s.dir, stderr, func(dir string) error { return upgradeAll(ctx, s, dir, stdout) })
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{orders: allOrders()}
	flags := flag.NewFlagSet("upgrade", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&s.duration, "duration", 12*time.Minute, "time under faults, over all rounds")
	flags.Uint64Var(&s.seed, "seed", 0, "what to repeat; 0 draws one")
	flags.StringVar(&s.logStore, "log-store", "", "boltdb or wal (default: each in turn)")
	flags.StringVar(&s.oldPath, "old", "", "the older `binary` (default: this checkout)")
	flags.StringVar(&s.newPath, "new", "", "the newer `binary` (default: this checkout, with the tag nextversion unless -old is given)")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	flags.IntVar(&s.clients, "clients", 32, "concurrent clients of a rolling upgrade")
	flags.BoolVar(&s.newcomer, "newcomer", true, "start a new node of the older build, too, once the ledger version has risen: it must refuse")
	flags.DurationVar(&s.steady, "steady", 500*time.Millisecond, "load before and after each step of a rolling upgrade")
	flags.Func("orders", "comma-separated `list` of orders in which to upgrade the nodes, node 0 being the leader (default all: 012,021,…)",
		func(list string) error {
			s.orders = nil
			for text := range strings.SplitSeq(list, ",") {
				o, err := parseOrder(text)
				if err != nil {
					return err
				}
				s.orders = append(s.orders, o)
			}
			return nil
		})
	flags.Func("faults", "comma-separated `list` of exchange and the faults of scripts/chaos (default all)", func(list string) (err error) {
		s.faults, err = faultrun.ParseFaults(list, exchange)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.logStore != "" && s.logStore != "boltdb" && s.logStore != "wal":
		err = errors.New("log-store must be boltdb or wal")
	case s.duration <= 0 || s.clients < 1 || s.steady < 0:
		err = errors.New("duration and clients must be positive")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "upgrade:", err)
	}
	s.seed = launch.Seed(s.seed)
	return s, err
}

// upgradeAll does one round for each order.
func upgradeAll(ctx context.Context, s settings, dir string, stdout io.Writer) error {
	b, err := makeBuilds(ctx, s, dir)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "old: %v\nnew: %v\n", b.old, b.new)
	for i, o := range s.orders {
		r := &round{
			settings: s, builds: b, order: o, log: stdout,
			seed: s.seed + uint64(i), share: s.duration / time.Duration(mixedStages*len(s.orders)), dir: filepath.Join(dir, "order-"+o.String()),
		}
		if r.logStore == "" {
			r.logStore = [...]string{"boltdb", "wal"}[(s.seed+uint64(i))%2]
		}
		begin := time.Now()
		_, _ = fmt.Fprintf(stdout, "== round %d of %d: order %v, seed %d, %s\n", i+1, len(s.orders), o, r.seed, r.logStore)
		if err := r.run(ctx); err != nil {
			return fmt.Errorf("%w\nlogs and data: %s\nagain: %s", err, r.dir, r.commandLine())
		}
		_, _ = fmt.Fprintf(stdout, "ok, %v\n", time.Since(begin).Round(time.Second))
		if err := os.RemoveAll(r.dir); err != nil {
			return err
		}
	}
	return nil
}

// commandLine repeats one round.
func (r *round) commandLine() string {
	text := fmt.Sprintf("go run ./scripts/upgrade -orders %v -seed %d -log-store %s -duration %v -clients %d -steady %v",
		r.order, r.seed, r.logStore, r.share*mixedStages, r.clients, r.steady)
	for option, value := range map[string]string{" -old ": r.oldPath, " -new ": r.newPath, " -faults ": faultrun.Names(r.faults)} {
		if value != "" {
			text += option + value
		}
	}
	return text
}
