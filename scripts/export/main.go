// Command export moves keys into three real nodes and out again. It measures the import, and what an export costs those who charge meanwhile: their
// answer times before and during it, and the memory of the node. Before that, each node writes the import into its snapshot. Then it moves the file
// into a fresh cluster, and compares what that one exports.
//
// With -backup it measures snapshots in place of exports: what `creditd snapshot save` takes from the leader, and then
// what the leader makes by itself with --backup-dir. That is all then.
//
//	go run ./scripts/export
//	go run ./scripts/export -keys 200000 -rounds 3
//	go run ./scripts/export -backup
//
// Exit code 0: every bound was kept and the files are equal. 1: not so, or the run could not be completed; logs and data stay, and the command
// prints their directory. 2: wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

type settings struct {
	keys, nodes, rounds, clients int
	pause                        time.Duration // of a client between two charges
	quiet                        time.Duration // measured before each export, at least
	ratio                        float64       // bound of the p99 during exports, as a multiple of the one before
	floor                        time.Duration // a p99 up to this is fine
	memory                       int64         // bound of a node's own memory during an export, beyond twice that without
	backup                       bool          // measures snapshots in place of exports
	logStore                     string
	binary                       string // empty: built
	dir                          string
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := settings{}
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.keys, "keys", 1_000_000, "keys that are moved")
	flags.IntVar(&s.nodes, "nodes", 3, "nodes of each of the two clusters")
	flags.IntVar(&s.rounds, "rounds", 3, "how often it measures without and with an export or a snapshot")
	flags.IntVar(&s.clients, "clients", 6, "clients that charge, spread over the nodes")
	flags.DurationVar(&s.pause, "pause", 10*time.Millisecond, "how long a client waits after each charge")
	flags.DurationVar(&s.quiet, "quiet", 10*time.Second, "how long it measures without an export, in each round")
	flags.Float64Var(&s.ratio, "ratio", 1.2, "bound of the p99 of charges during an export, as a multiple of the p99 without one")
	flags.DurationVar(&s.floor, "floor", 0, "a p99 up to this is fine whatever the quiet one is")
	flags.Int64Var(&s.memory, "memory", 64<<20, "bound of a node's own memory during an export, beyond twice that without, in bytes: the collector lets the heap double")
	flags.BoolVar(&s.backup, "backup", false, "measure snapshots, as creditd snapshot save takes them, in place of exports")
	flags.StringVar(&s.logStore, "log-store", "wal", "boltdb or wal")
	flags.StringVar(&s.binary, "binary", "", "the `binary` that serves and moves (default: this checkout)")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	if flags.Parse(args) != nil || flags.NArg() > 0 || s.keys < 100 || s.nodes < 1 || s.rounds < 1 || s.clients < 1 {
		_, _ = fmt.Fprintln(stderr, "export: at least 100 keys, 1 node, 1 round and 1 client, and no further arguments")
		return 2
	}
	return launch.InWorkDir("export", s.dir, stderr, func(dir string) error { return suite(ctx, s, dir, stdout) })
}
