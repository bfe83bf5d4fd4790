// Command crash kills a real creditd process at every failpoint, several times each, while clients debit through all nodes. It starts the
// process again and checks that the balances have every acknowledged debit exactly once. See package store/failpoint.
//
//	go run ./scripts/crash -kills 20 -seed 7 -log-store wal
//
// Exit code 0: every promise was kept and every failpoint reached. 1: a violation, a failpoint that was not reached, or a cluster that
// did not recover; logs and data stay. 2: wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/store/failpoint"
)

type settings struct {
	kills    int
	seed     uint64
	logStore string
	dir      string
	points   []failpoint.Name
	log      io.Writer
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	s.log = stdout
	_, _ = fmt.Fprintf(stdout, "seed %d, %s log\n", s.seed, s.logStore)
	return launch.InWorkDir("crash", s.dir, stderr, func(dir string) error {
		s.dir = dir
		r, err := crashEverywhere(ctx, s)
		_, _ = fmt.Fprint(stdout, r)
		return errors.Join(append([]error{err}, r.violations...)...)
	})
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{points: failpoint.All()}
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.kills, "kills", 20, "kills at each failpoint")
	flags.Uint64Var(&s.seed, "seed", 0, "what to repeat; 0 draws one")
	flags.StringVar(&s.logStore, "log-store", "wal", "boltdb or wal")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go and stay (default a directory below chaos-out)")
	flags.Func("points", "comma-separated `list` of failpoints (default all)", func(list string) error {
		s.points = nil
		for name := range strings.SplitSeq(list, ",") {
			if !slices.Contains(failpoint.All(), failpoint.Name(name)) {
				return fmt.Errorf("there is no failpoint %q", name)
			}
			s.points = append(s.points, failpoint.Name(name))
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.logStore != "boltdb" && s.logStore != "wal":
		err = errors.New("log-store must be boltdb or wal")
	case s.kills < 1:
		err = errors.New("kills must be positive")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "crash:", err)
	}
	s.seed = launch.Seed(s.seed)
	return s, err
}

// report is what a run found.
type report struct {
	kills      map[failpoint.Name]int
	skipped    []failpoint.Name
	answered   int64
	unknown    int64
	violations []error
}

func (r report) String() string {
	total := 0
	for _, n := range r.kills {
		total += n
	}
	text := fmt.Sprintf("%d kills at %d failpoints, %d debits answered, %d left unknown, %d violations\n",
		total, len(r.kills), r.answered, r.unknown, len(r.violations))
	if len(r.skipped) > 0 {
		text += fmt.Sprintf("not passed with this log: %v\n", r.skipped)
	}
	return text
}

// crashEverywhere goes through the failpoints on one cluster, and on one new node for each kill while a ledger begins.
func crashEverywhere(ctx context.Context, s settings) (report, error) {
	binary, err := launch.Build{Tags: launch.Faulty}.Into(ctx, s.dir)
	if err != nil {
		return report{}, err
	}
	c := &crasher{settings: s, binary: binary, random: rand.New(rand.NewPCG(s.seed, 0)), report: report{kills: map[failpoint.Name]int{}}}
	err = c.run(ctx)
	return c.report, err
}
