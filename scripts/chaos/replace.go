package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/launch"
)

// runReplace rolls through clusters of three and of five nodes, with both log stores: each node loses its data and is started again, the
// next one as soon as it is ready. Seeds, durations and checks are those of the other runs.
//
//	go run ./scripts/chaos replace -duration 1m
func runReplace(ctx context.Context, s settings, stdout, stderr io.Writer) int {
	if s.nodes != 0 && s.nodes != 3 && s.nodes != 5 {
		_, _ = fmt.Fprintf(stderr, "chaos: replace rolls through 3 or 5 nodes, not %d\n", s.nodes)
		return 2
	}
	s.Faults = []faultrun.Fault{faultrun.Replace}
	return launch.InWorkDir("chaos", s.dir, stderr, func(dir string) error { return replaceAll(ctx, s, dir, stdout) })
}

func replaceAll(ctx context.Context, s settings, dir string, stdout io.Writer) error {
	for _, nodes := range []int{3, 5} {
		for _, logStore := range []string{"boltdb", "wal"} {
			if s.logStore != "" && s.logStore != logStore || s.nodes != 0 && s.nodes != nodes {
				continue
			}
			one := s
			one.nodes, one.logStore = nodes, logStore
			_, _ = fmt.Fprintf(stdout, "%d nodes: ", nodes)
			below := filepath.Join(dir, fmt.Sprintf("%d-%s", nodes, logStore))
			if err := os.MkdirAll(below, 0o755); err != nil {
				return err
			}
			if err := campaign(ctx, one, below, stdout); err != nil {
				return err
			}
		}
	}
	return nil
}
