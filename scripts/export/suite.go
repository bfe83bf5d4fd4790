package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// side is one of the two clusters, with a root key that may import, export and take snapshots.
type side struct {
	cluster         *launch.Cluster
	binary, rootKey string
	backups         string // the directory of scheduled ones
}

func suite(ctx context.Context, s settings, dir string, out io.Writer) (err error) {
	binary := s.binary
	if binary == "" {
		if binary, err = (launch.Build{}).Into(ctx, dir); err != nil {
			return err
		}
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	source := filepath.Join(dir, "source.ndjson")
	if err := writeSource(source, s.keys); err != nil {
		return err
	}
	from, err := startSide(ctx, s, binary, filepath.Join(dir, "from"), s.backup)
	if err != nil {
		return err
	}
	defer from.cluster.Close()
	took, err := from.move(ctx, 0, "import", source)
	if err != nil {
		return err
	}
	say("import  %d keys in %s: %.0f keys/s", s.keys, took.Round(time.Millisecond), float64(s.keys)/took.Seconds())
	if _, err := from.cluster.Converge(ctx); err != nil {
		return err
	}
	if err := from.settle(ctx, filepath.Join(dir, "settled")); err != nil {
		return err
	}
	if s.backup {
		broken := from.disturb(ctx, s, from.backup(filepath.Join(dir, "snapshot")), say)
		broken = errors.Join(broken, from.disturb(ctx, s, from.schedule(), say))
		return errors.Join(broken, from.cluster.StopAll(), errors.Join(from.cluster.Crashes()...))
	}
	broken := from.disturb(ctx, s, from.loadedExport(filepath.Join(dir, "loaded.ndjson")), say)

	quiet, err := from.export(ctx, 0, filepath.Join(dir, "quiet.ndjson"))
	if err != nil {
		return err
	}
	to, err := startSide(ctx, s, binary, filepath.Join(dir, "to"), false)
	if err != nil {
		return err
	}
	defer to.cluster.Close()
	if took, err = to.move(ctx, to.cluster.Size()-1, "import", filepath.Join(dir, "quiet.ndjson")); err != nil {
		return err
	}
	say("import  into a fresh cluster in %s", took.Round(time.Millisecond))
	if _, err := to.cluster.Converge(ctx); err != nil {
		return err
	}
	back, err := to.export(ctx, to.cluster.Size()-1, filepath.Join(dir, "back.ndjson"))
	if err != nil {
		return err
	}
	if quiet != back {
		broken = errors.Join(broken, fmt.Errorf("the files differ: %s and %s", quiet, back))
	} else {
		say("equal   byte for byte behind the header: %s", quiet)
	}
	return errors.Join(broken, from.cluster.StopAll(), to.cluster.StopAll(), errors.Join(from.cluster.Crashes()...), errors.Join(to.cluster.Crashes()...))
}

// startSide starts a cluster. With backups its leader makes one whenever there is none.
func startSide(ctx context.Context, s settings, binary, dir string, backups bool) (*side, error) {
	kept := filepath.Join(dir, "backups")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return nil, err
	}
	options := launch.Options{Binary: binary, Dir: dir, Nodes: s.nodes, LogStore: s.logStore}
	if backups {
		options.Args = []string{"--backup-dir", kept, "--backup-interval", "24h"}
	}
	cluster, err := launch.StartCluster(ctx, options)
	if err != nil {
		return nil, err
	}
	var made struct{ Key string }
	err = cluster.Call(ctx, launch.Anywhere, "rootKeys.createRootKey", map[string]any{
		"name": "move", "permissions": []string{"import.*.write", "export.*.read", "backup.*.read", "cluster.*.operate"},
	}, &made)
	if err != nil {
		cluster.Close()
		return nil, err
	}
	return &side{cluster: cluster, binary: binary, rootKey: made.Key, backups: kept}, nil
}

// settle lets each node write what was imported into its snapshot, so that the first measurement has only what is measured.
func (c *side) settle(ctx context.Context, file string) error {
	problems := make([]error, c.cluster.Size())
	var nodes sync.WaitGroup
	for i := range problems {
		nodes.Go(func() {
			saved := fmt.Sprint(file, i)
			if _, problems[i] = c.move(ctx, i, "snapshot", "save", saved); problems[i] == nil {
				problems[i] = os.Remove(saved)
			}
		})
	}
	nodes.Wait()
	return errors.Join(problems...)
}

// move runs creditd export, import or snapshot save with one node.
func (c *side) move(ctx context.Context, node int, args ...string) (time.Duration, error) {
	var output bytes.Buffer
	began := time.Now()
	process, err := launch.Start(launch.Command{
		Binary: c.binary, Args: append(args, "--addr", c.cluster.HTTPAddr(node), "--timeout", "60s"),
		Env: []string{"CREDITD_ROOT_KEY=" + c.rootKey}, Stdout: &output, Stderr: &output,
	})
	if err != nil {
		return 0, err
	}
	select {
	case <-process.Ended():
	case <-ctx.Done():
		process.Kill()
		return 0, ctx.Err()
	}
	if !process.State().Success() {
		return 0, fmt.Errorf("creditd %s ended with %v\n%s", strings.Join(args, " "), process.State(), &output)
	}
	return time.Since(began), nil
}

func (c *side) export(ctx context.Context, node int, file string) (string, error) {
	if _, err := c.move(ctx, node, "export", "--out", file); err != nil {
		return "", err
	}
	return digest(file)
}
