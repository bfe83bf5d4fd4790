// Command bench measures creditd and its peers on this machine, in one run. It measures gin with a constant answer, one creditd node with
// each log store, and three nodes through the leader and through a follower. Where redis-server is installed, it also measures gin with a
// Lua decrement in Redis.
//
//	go run ./scripts/bench -rounds 3 -duration 5s
//
// All servers are real processes on loopback, and `creditd bench` drives all of them. Rounds are interleaved (A B C, A B C, …), since a
// machine is not equally fast at all times, and the table shows medians. Exit code 1: something failed, or a request did not end as
// expected. 2: wrong usage.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

type settings struct {
	rounds, connections int
	duration, warmup    time.Duration
	only                string
	asJSON              bool
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.rounds, "rounds", 3, "measurements of each system")
	flags.IntVar(&s.connections, "connections", 64, "concurrent connections")
	flags.DurationVar(&s.duration, "duration", 5*time.Second, "measured time of one round of one system")
	flags.DurationVar(&s.warmup, "warmup", time.Second, "load before the measured time")
	flags.StringVar(&s.only, "only", "", "measure only systems whose name contains one of these comma-separated `words`; the constant is always there")
	flags.BoolVar(&s.asJSON, "json", false, "print JSON instead of a table")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 || s.rounds < 1 || s.connections < 1 || s.duration <= 0 || s.warmup < 0 {
		_, _ = fmt.Fprintln(stderr, "bench: rounds, connections and duration must be positive, and there are no arguments")
		return 2
	}
	results, err := measureAll(ctx, s, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	if s.asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(results)
	} else {
		err = writeTable(stdout, results)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	for _, result := range results {
		if result.Failures > 0 {
			return 1
		}
	}
	return 0
}

// wanted applies -only.
func (s settings) wanted(name string) bool {
	if s.only == "" || name == constantName {
		return true
	}
	for word := range strings.SplitSeq(s.only, ",") {
		if word != "" && strings.Contains(name, word) {
			return true
		}
	}
	return false
}
