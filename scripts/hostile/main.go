// Command hostile attacks a cluster of three real processes, as a tenant and as a stranger, while a client of another workspace charges.
// It measures the client's answer times, the CPU time and the memory of the nodes, and the time of a restart.
//
//	go run ./scripts/hostile -duration 5m
//	go run ./scripts/hostile -tls -duration 5m
//	go run ./scripts/hostile -attacks bodies,lists -duration 20s
//
// Exit code 0: every bound was kept. 1: a bound was broken, or the run could not be completed; logs and data stay, and the command prints
// their directory. 2: wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

type settings struct {
	duration time.Duration // of all attacks and the quiet between them
	attacks  []attack
	logStore string
	open     bool   // the nodes share no secret
	tls      bool   // the nodes have certificates
	binary   string // empty: built
	dir      string
	profiles bool // CPU profiles of the nodes are taken during each attack, and heap profiles after it
	bounds   bounds
}

// bounds are what the victim and the nodes may suffer.
type bounds struct {
	ratio   float64       // of the victim's p99 under attack to its quiet p99
	floor   time.Duration // a p99 up to this is fine whatever the quiet one is: the machine has noise
	slowest time.Duration // of the victim's answers
	memory  int64         // bytes of memory of one node
	restart float64       // of the time that a restart takes afterwards to what it takes before
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 2 && args[0] == strikeCommand {
		return runAttackers(ctx, args[1], stdout, stderr)
	}
	s, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	return launch.InWorkDir("hostile", s.dir, stderr, func(dir string) error { return besiege(ctx, s, dir, stdout) })
}

func parse(args []string, stderr io.Writer) (settings, error) {
	s, chosen := settings{attacks: allAttacks()}, false
	flags := flag.NewFlagSet("hostile", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&s.duration, "duration", 5*time.Minute, "time of all attacks and of the quiet between them")
	flags.StringVar(&s.logStore, "log-store", "wal", "boltdb or wal")
	flags.BoolVar(&s.open, "open", false, "the nodes share no secret, so strangers get further at the ports between nodes")
	flags.BoolVar(&s.tls, "tls", false, "the HTTP and peer ports have certificates, and the attacks on TLS join the others: "+names(tlsAttacks()))
	flags.StringVar(&s.binary, "binary", "", "the `binary` to attack (default: this checkout)")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	flags.BoolVar(&s.profiles, "profiles", false, "write a CPU profile and a heap profile of each node for each attack; they stay where -dir says")
	flags.Float64Var(&s.bounds.ratio, "ratio", 3, "bound of the victim's p99 under attack, as a multiple of its quiet p99")
	flags.DurationVar(&s.bounds.floor, "floor", 15*time.Millisecond, "a p99 up to this is fine whatever the quiet one is")
	flags.DurationVar(&s.bounds.slowest, "slowest", 250*time.Millisecond, "bound of the victim's slowest answer")
	flags.Int64Var(&s.bounds.memory, "memory", 1<<30, "bound of a node's resident memory, in bytes")
	flags.Float64Var(&s.bounds.restart, "restart", 2, "bound of a restart afterwards, as a multiple of one before; up to 3s is always fine")
	flags.Func("attacks", "comma-separated `list` (default all: "+names(s.attacks)+")", func(list string) error {
		all := append(allAttacks(), tlsAttacks()...)
		s.attacks, chosen = nil, true
		for name := range strings.SplitSeq(list, ",") {
			at := slices.IndexFunc(all, func(a attack) bool { return a.name == name })
			if at < 0 {
				return fmt.Errorf("no attack is called %q", name)
			}
			s.attacks = append(s.attacks, all[at])
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.tls && !chosen {
		s.attacks = append(s.attacks, tlsAttacks()...)
	}
	var err error
	switch {
	case s.tls && s.open:
		err = errors.New("-tls and -open exclude each other")
	case !s.tls && slices.ContainsFunc(s.attacks, func(a attack) bool { return slices.Contains(strings.Split(names(tlsAttacks()), ","), a.name) }):
		err = errors.New("attacks on TLS need -tls: " + names(tlsAttacks()))
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.duration <= 0:
		err = errors.New("duration must be positive")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "hostile:", err)
	}
	return s, err
}

func names(attacks []attack) string {
	var list []string
	for _, a := range attacks {
		list = append(list, a.name)
	}
	return strings.Join(list, ",")
}
