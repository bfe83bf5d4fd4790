// Command olddata makes the data directories that every later build must be able to open: cmd/creditd/testdata/directories.
//
// It runs one node of a given build, fills it over HTTP, notes what must be read back, ends the node and packs its directory.
// Run it once for each format of the data, with the last build that writes that format:
//
//	go run ./scripts/olddata -binary path/to/creditd -out cmd/creditd/testdata/directories/v2
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/creditd/creditd/scripts/launch"
)

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, _, stderr io.Writer) int {
	flags := flag.NewFlagSet("olddata", flag.ContinueOnError)
	flags.SetOutput(stderr)
	binary := flags.String("binary", "", "the creditd that makes the directories")
	out := flags.String("out", "", "a directory that does not exist yet")
	if err := flags.Parse(args); err != nil || *binary == "" || *out == "" || flags.NArg() > 0 {
		flags.Usage()
		return 2
	}
	if err := makeDirectories(ctx, *binary, *out); err != nil {
		_, _ = fmt.Fprintln(stderr, "olddata:", err)
		return 1
	}
	return 0
}

// makeDirectories makes a directory for each log store and each way to end a node.
func makeDirectories(ctx context.Context, binary, out string) error {
	if err := os.Mkdir(out, 0o755); err != nil {
		return err // also when it exists: directories that were made are never changed
	}
	for _, logStore := range []string{"boltdb", "wal"} {
		for _, ending := range []string{"closed", "killed"} {
			if err := makeDirectory(ctx, binary, logStore, ending, filepath.Join(out, logStore+"-"+ending)); err != nil {
				return fmt.Errorf("%s, %s: %w", logStore, ending, err)
			}
		}
	}
	return nil
}

// often takes a snapshot after every entry, seldom takes none.
var (
	often  = []string{"--snapshot-threshold", "1", "--snapshot-interval", "1s", "--trailing-logs", "1000"}
	seldom = []string{"--snapshot-threshold", "100000", "--trailing-logs", "200000"}
)

// makeDirectory leaves the packed directory in name.tar.gz and what must be read back in name.json. A directory that was closed has
// everything in its snapshot. One that was killed has half of it there, and every kind of command in the log behind the snapshot.
func makeDirectory(ctx context.Context, binary, logStore, ending, name string) (err error) {
	dir, err := os.MkdirTemp("", "creditd-olddata-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f := &filler{}
	if ending == "closed" {
		err = withNode(ctx, binary, dir, logStore, often, func(n *node) error {
			if err := f.fill(n, "first"); err != nil {
				return err
			}
			if err := n.awaitSnapshot(ctx); err != nil {
				return err
			}
			if err := f.read(ctx); err != nil {
				return err
			}
			return n.cluster.Stop(0)
		})
	} else {
		err = f.fillAndKill(ctx, binary, dir, logStore)
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(f.notes)
	if err != nil {
		return err
	}
	pack := exec.CommandContext(ctx, "tar", "--create", "--gzip", "--sparse", "--owner=0", "--group=0", "--file", name+".tar.gz",
		"--directory", filepath.Join(dir, "node0"), ".")
	if out, err := pack.CombinedOutput(); err != nil {
		return fmt.Errorf("tar: %w\n%s", err, out)
	}
	return os.WriteFile(name+".json", append(text, '\n'), 0o644)
}

func (f *filler) fillAndKill(ctx context.Context, binary, dir, logStore string) error {
	err := withNode(ctx, binary, dir, logStore, often, func(n *node) error {
		if err := f.fill(n, "first"); err != nil {
			return err
		}
		if err := n.awaitSnapshot(ctx); err != nil {
			return err
		}
		return n.cluster.Stop(0)
	})
	if err != nil {
		return err
	}
	return withNode(ctx, binary, dir, logStore, seldom, func(n *node) error {
		if err := f.fill(n, "second"); err != nil {
			return err
		}
		if err := f.read(ctx); err != nil {
			return err
		}
		n.cluster.Kill(0)
		return nil
	})
}

// withNode runs a node below dir for the time of use.
func withNode(ctx context.Context, binary, dir, logStore string, args []string, use func(*node) error) error {
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: binary, Dir: dir, Nodes: 1, LogStore: logStore, Args: args})
	if err != nil {
		return err
	}
	defer cluster.Close()
	n := newNode(cluster)
	defer n.client.Close()
	return use(n)
}
