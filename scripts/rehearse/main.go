// Command rehearse goes through the life of a cluster as its operator would: three nodes with TLS everywhere and encrypted gossip serve clients
// while nodes are restarted, upgraded and replaced, the cluster grows and shrinks, and certificates and gossip keys are changed. Then it loses its
// quorum, and then everything. No request may fail outside of the two losses, and the balance must be right to the credit after each of them.
//
//	go run ./scripts/rehearse [-clients N] [-out DIR]
//
// docs/operating.md has each procedure. Exit code 0: all of them hold.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// patience bounds each step.
const patience = 3 * time.Minute

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	flags.SetOutput(stderr)
	clients := flags.Int("clients", 8, "clients that debit")
	out := flags.String("out", "", "keep logs and data here")
	if flags.Parse(args) != nil {
		return 2
	}
	return launch.InWorkDir("rehearse", *out, stderr, func(dir string) error {
		c, err := prepare(ctx, dir)
		if err != nil {
			return err
		}
		defer c.close()
		return rehearse(ctx, c, *clients, stdout)
	})
}

// step is one procedure of the handbook.
type step struct {
	name string
	do   func(ctx context.Context, c *cluster) error
}

// underLoad are the procedures that no client may notice.
var underLoad = []step{
	{"rolling restart", func(ctx context.Context, c *cluster) error { return c.roll(ctx, "") }},
	{"rolling upgrade to the next ledger version", func(ctx context.Context, c *cluster) error { return c.roll(ctx, c.next) }},
	{"node replaced by an empty one", replaceNode},
	{"grown to five", grow},
	{"shrunk to three", shrink},
	{"certificates replaced", replaceCertificates},
	{"gossip key replaced", replaceGossipKey},
	{"snapshot saved", func(ctx context.Context, c *cluster) error { return c.save(ctx, "under-load.snapshot") }},
}

func rehearse(ctx context.Context, c *cluster, clients int, stdout io.Writer) error {
	say := func(name string, begin time.Time, more string) {
		_, _ = fmt.Fprintf(stdout, "ok  %-45s %6.1fs  %s\n", name, time.Since(begin).Seconds(), more)
	}
	begin := time.Now()
	if err := c.found(ctx); err != nil {
		return fmt.Errorf("founding: %w", err)
	}
	say("three nodes with TLS and encrypted gossip", begin, "")
	for _, s := range underLoad {
		begin := time.Now()
		load := c.startLoad(clients)
		err := within(ctx, func(ctx context.Context) error {
			if err := load.progress(ctx); err != nil {
				return err
			}
			if err := s.do(ctx, c); err != nil {
				return err
			}
			return load.progress(ctx)
		})
		load.stop()
		if err == nil {
			err = load.failure()
		}
		if err == nil {
			err = c.checkBalance(ctx, load)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		say(s.name, begin, load.String())
	}
	for _, s := range []step{{"quorum lost and recovered", func(ctx context.Context, c *cluster) error { return loseQuorum(ctx, c, clients) }}, {"all lost and restored", loseAll}} {
		begin := time.Now()
		if err := within(ctx, func(ctx context.Context) error { return s.do(ctx, c) }); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		say(s.name, begin, "")
	}
	return nil
}

func within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx)
}
