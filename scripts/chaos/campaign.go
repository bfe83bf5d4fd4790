package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/scripts/chaos/books"
	"github.com/creditd/creditd/scripts/chaos/drill"
	"github.com/creditd/creditd/scripts/chaos/local"
)

// tools are the programs of a campaign, built once.
type tools struct {
	creditd string
	judge   string
}

func buildTools(ctx context.Context, dir string, race bool) (t tools, err error) {
	if t.creditd, err = local.BuildFaulty(ctx, dir, race); err != nil {
		return t, err
	}
	t.judge, err = local.BuildModule(ctx, dir, "scripts/chaos/judge")
	return t, err
}

// campaign carries out the runs, one line each, and an error when any of them failed.
func campaign(ctx context.Context, s settings, dir string, stdout io.Writer) error {
	built, err := buildTools(ctx, dir, s.race)
	if err != nil {
		return err
	}
	failed := 0
	for i := range s.runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		one := s
		one.drill.Seed += uint64(i)
		if one.logStore == "" {
			one.logStore = [...]string{"boltdb", "wal"}[one.drill.Seed%2]
		}
		begin := time.Now()
		runDir := filepath.Join(dir, fmt.Sprintf("seed-%d", one.drill.Seed))
		_, _ = fmt.Fprintf(stdout, "run %d of %d, seed %d, %s: ", i+1, s.runs, one.drill.Seed, one.logStore)
		result, err := recorded(ctx, one, built, runDir)
		_, _ = fmt.Fprintf(stdout, "%s, %v\n", line(result, err), time.Since(begin).Round(time.Second))
		if err == nil && result.OK() {
			if err := os.RemoveAll(runDir); err != nil {
				return err
			}
			continue
		}
		failed++
		_, _ = fmt.Fprintf(stdout, "%vlogs, record, pictures and data: %s\nagain: %s\n", result, runDir, commandLine(one))
		if err != nil {
			_, _ = fmt.Fprintf(stdout, "not carried out to the end: %v\n", err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d runs failed; what they left is below %s", failed, s.runs, dir)
	}
	return nil
}

// recorded is one run with its own directory, in which the course of the drill is kept as well.
func recorded(ctx context.Context, s settings, built tools, dir string) (result drill.Result, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return result, err
	}
	course, err := os.Create(filepath.Join(dir, "course.txt"))
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, course.Close()) }()
	s.drill.Log = course
	return perform(ctx, s, built, dir)
}

// perform starts a cluster, drills it, judges the record and stops it.
func perform(ctx context.Context, s settings, built tools, dir string) (result drill.Result, err error) {
	cluster, err := local.NewCluster(local.Options{
		Binary: built.creditd, Dir: dir, Nodes: s.nodes, LogStore: s.logStore, RootKey: rootKey, Links: true, Disk: true,
		// Entries are few in a short run; snapshots shall come all the same, and nodes that were away be sent whole states.
		Args: []string{"--snapshot-threshold", "400", "--snapshot-interval", "2s", "--trailing-logs", "800"},
	})
	if err != nil {
		return result, err
	}
	defer cluster.Close()
	if err := cluster.StartAll(); err != nil {
		return result, err
	}
	ready, cancel := context.WithTimeout(ctx, s.drill.Patience)
	defer cancel()
	if err := cluster.AwaitReady(ready); err != nil {
		return result, err
	}
	result, err = drill.Run(ctx, s.drill, cluster)
	if saved := judged(ctx, built, dir, &result); err == nil {
		err = saved
	}
	if err != nil {
		return result, err
	}
	return result, cluster.StopAll(stopGrace)
}

// line is a run in one line.
func line(r drill.Result, err error) string {
	verdict := "ok"
	switch {
	case len(r.Violations) > 0:
		verdict = fmt.Sprintf("FAILED, %d violations", len(r.Violations))
	case err != nil:
		verdict = "NOT CARRIED OUT"
	case !r.OK():
		verdict = "FAILED, nothing succeeded"
	}
	faults := 0
	for _, count := range r.Faults {
		faults += count
	}
	return fmt.Sprintf("%s; %d answers, %d unknown; %d faults, %d kills, %d leader changes; %d replayed; %d balances linearizable, %d undecided; longest silence %v",
		verdict, r.Total(books.OK)+r.Total(books.Denied), r.Total(books.Unknown), faults, r.Kills, r.LeaderChanges,
		r.Replayed, r.Linearizable, r.Undecided, r.LongestGap.Round(time.Millisecond))
}

// commandLine does one run again.
func commandLine(s settings) string {
	text := fmt.Sprintf("go run ./scripts/chaos -seed %d -duration %v -nodes %d -clients %d -log-store %s -faults %s",
		s.drill.Seed, s.drill.Duration, s.nodes, s.drill.Clients, s.logStore, join(s.drill.Faults))
	if s.race {
		text += " -race"
	}
	return text
}
