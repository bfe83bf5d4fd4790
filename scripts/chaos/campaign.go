package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/launch"
)

// build compiles what a run needs, once, and returns the binary of the nodes.
func (s *settings) build(ctx context.Context, dir string) (creditd string, err error) {
	if s.Lincheck, err = faultrun.Lincheck.Into(ctx, dir); err != nil {
		return "", err
	}
	return launch.Build{Tags: launch.Faulty, Race: s.race}.Into(ctx, dir)
}

// campaign does the runs, one line each, and returns an error if any of them failed.
func campaign(ctx context.Context, s settings, dir string, stdout io.Writer) error {
	creditd, err := s.build(ctx, dir)
	if err != nil {
		return err
	}
	failed := 0
	for i := range s.runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		one := s
		one.Seed += uint64(i)
		if one.logStore == "" {
			one.logStore = [...]string{"boltdb", "wal"}[one.Seed%2]
		}
		begin := time.Now()
		one.Dir = filepath.Join(dir, fmt.Sprintf("seed-%d", one.Seed))
		_, _ = fmt.Fprintf(stdout, "run %d of %d, seed %d, %s: ", i+1, s.runs, one.Seed, one.logStore)
		result, err := logged(ctx, one, creditd)
		_, _ = fmt.Fprintf(stdout, "%s, %v\n", result.Line(err), time.Since(begin).Round(time.Second))
		if err == nil && result.OK() {
			if err := os.RemoveAll(one.Dir); err != nil {
				return err
			}
			continue
		}
		failed++
		_, _ = fmt.Fprintf(stdout, "%vlogs, record, pictures and data: %s\nagain: %s\n", result, one.Dir, commandLine(one))
		if err != nil {
			_, _ = fmt.Fprintf(stdout, "not completed: %v\n", err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d runs failed; their logs are below %s", failed, s.runs, dir)
	}
	return nil
}

// logged is one run in its own directory, which keeps a log of the faults as well.
func logged(ctx context.Context, s settings, creditd string) (result faultrun.Result, err error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return result, err
	}
	faults, err := os.Create(filepath.Join(s.Dir, "faults.txt"))
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, faults.Close()) }()
	s.Log = faults
	return perform(ctx, s, creditd)
}

// perform does one run on a new cluster.
func perform(ctx context.Context, s settings, creditd string) (result faultrun.Result, err error) {
	cluster, err := launch.StartCluster(ctx, launch.Options{
		Binary: creditd, Dir: s.Dir, Nodes: s.nodes, LogStore: s.logStore, Links: true, Disk: true, Args: launch.SmallSnapshots,
	})
	if err != nil {
		return result, err
	}
	defer cluster.Close()
	if result, err = faultrun.Run(ctx, s.Config, cluster); err != nil {
		return result, err
	}
	return result, cluster.StopAll()
}

// commandLine repeats one run.
func commandLine(s settings) string {
	text := fmt.Sprintf("go run ./scripts/chaos -seed %d -duration %v -nodes %d -clients %d -log-store %s -faults %s",
		s.Seed, s.Duration, s.nodes, s.Clients, s.logStore, faultrun.Names(s.Faults))
	if s.race {
		text += " -race"
	}
	return text
}
