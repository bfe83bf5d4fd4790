package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/creditd/creditd/scripts/launch"
)

// figures are the part of the report of `creditd bench --json` that is used here.
type figures struct {
	RequestsPerSecond float64 `json:"verificationsPerSecond"` // a request of keys.verifyKeys counts as many
	Failures          uint64  `json:"failures"`
	LatencyMillis     struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latencyMillis"`
}

// result is one system over all rounds.
type result struct {
	Name              string    `json:"name"`
	RequestsPerSecond float64   `json:"requestsPerSecond"` // median of the rounds, like the latencies
	Ratio             float64   `json:"ratioToConstant"`
	P50Millis         float64   `json:"p50Millis"`
	P99Millis         float64   `json:"p99Millis"`
	Failures          uint64    `json:"failures"` // in all rounds
	Rounds            []float64 `json:"rounds"`   // requests/s of each
}

// measureAll starts everything, measures in interleaved rounds, and stops what it started.
func measureAll(ctx context.Context, s settings, notes io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "creditd-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	f := &fleet{settings: s, dir: dir, notes: notes}
	defer f.stop()
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	measured := make([][]figures, len(f.systems))
	for round := range s.rounds {
		for i, system := range f.systems {
			figures, err := f.measure(ctx, system)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", system.name, err)
			}
			measured[i] = append(measured[i], figures)
			_, _ = fmt.Fprintf(notes, "round %d  %-42s %8.0f req/s  p99 %.1f ms  %d failures\n",
				round+1, system.name, figures.RequestsPerSecond, figures.LatencyMillis.P99, figures.Failures)
		}
	}
	return summarize(f.systems, measured), nil
}

// measure runs `creditd bench` once. Its exit code 1 with a report means failed requests, which the report counts.
func (f *fleet) measure(ctx context.Context, system system) (figures, error) {
	var got figures
	addr, err := system.addr()
	if err != nil {
		return got, err
	}
	command := exec.CommandContext(ctx, f.creditd, "bench", "--json", "--addr", addr,
		"--connections", strconv.Itoa(f.settings.connections),
		"--duration", f.settings.duration.String(), "--warmup", f.settings.warmup.String())
	command.Args = append(command.Args, system.args...)
	command.Env = append(os.Environ(), "CREDITD_ROOT_KEY="+launch.RootKey)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	runErr := command.Run()
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		return got, errors.Join(runErr, fmt.Errorf("creditd bench: %s", bytes.TrimSpace(stderr.Bytes())))
	}
	return got, nil
}

// summarize puts the first system, the constant, at ratio 1.
func summarize(systems []system, measured [][]figures) []result {
	results := make([]result, len(systems))
	for i, rounds := range measured {
		r := result{Name: systems[i].name, Ratio: 1}
		var p50, p99 []float64
		for _, figures := range rounds {
			r.Rounds = append(r.Rounds, figures.RequestsPerSecond)
			r.Failures += figures.Failures
			p50 = append(p50, figures.LatencyMillis.P50)
			p99 = append(p99, figures.LatencyMillis.P99)
		}
		r.RequestsPerSecond, r.P50Millis, r.P99Millis = median(r.Rounds), median(p50), median(p99)
		if base := results[0].RequestsPerSecond; i > 0 && base > 0 {
			r.Ratio = r.RequestsPerSecond / base
		}
		results[i] = r
	}
	return results
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func writeTable(out io.Writer, results []result) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SYSTEM\tREQ/S\tRATIO\tP50 MS\tP99 MS\tFAILURES")
	for _, r := range results {
		_, _ = fmt.Fprintf(table, "%s\t%.0f\t%.2f\t%.2f\t%.2f\t%d\n", r.Name, r.RequestsPerSecond, r.Ratio, r.P50Millis, r.P99Millis, r.Failures)
	}
	return table.Flush()
}
