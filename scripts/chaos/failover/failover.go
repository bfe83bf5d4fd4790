package failover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// Config says what to do.
type Config struct {
	Clients  int
	Kills    int           // of the leader
	Restarts int           // rounds in which each node is restarted once
	Steady   time.Duration // of load before and after each event
	Log      io.Writer     // one line per event
}

// Report is the whole measurement.
type Report struct {
	Kills, Restarts []Event
}

// Run measures a cluster whose nodes are ready, and leaves it running. A broken promise is an error.
func Run(ctx context.Context, config Config, cluster *launch.Cluster) (report Report, err error) {
	b := &Bench{Cluster: cluster, Clients: config.Clients, Steady: config.Steady, Log: config.Log}
	if err := b.Setup(ctx); err != nil {
		return report, err
	}
	for i := range config.Kills {
		event, err := kill(ctx, b, fmt.Sprintf("kill %d", i+1))
		if err != nil {
			return report, err
		}
		report.Kills = append(report.Kills, event)
	}
	for range config.Restarts {
		for node := range cluster.Size() {
			event, err := restart(ctx, b, node)
			if err != nil {
				return report, err
			}
			report.Restarts = append(report.Restarts, event)
		}
	}
	return report, errors.Join(cluster.Crashes()...)
}

// leader waits until the nodes agree on one leader and one state.
func leader(ctx context.Context, cluster *launch.Cluster) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := cluster.AwaitReady(ctx); err != nil {
		return 0, err
	}
	if _, err := cluster.Converge(ctx); err != nil {
		return 0, err
	}
	i, _, err := cluster.Leader(ctx, 0)
	return i, err
}

// kill kills the leader while clients debit through the others.
func kill(ctx context.Context, b *Bench, what string) (Event, error) {
	i, err := leader(ctx, b.Cluster)
	if err != nil {
		return Event{}, err
	}
	event, err := b.During(ctx, what, slices.Delete(b.Cluster.HTTPAddrs(), i, i+1), func() error {
		b.Cluster.Kill(i)
		return nil
	})
	if err == nil {
		err = b.Cluster.Start(i)
	}
	if err == nil {
		err = b.CheckBalance(ctx)
	}
	return event, err
}

// restart restarts one node while clients debit through all of them.
func restart(ctx context.Context, b *Bench, node int) (Event, error) {
	i, err := leader(ctx, b.Cluster)
	if err != nil {
		return Event{}, err
	}
	what := fmt.Sprintf("restart %d", node)
	if node == i {
		what += " (leader)"
	}
	event, err := b.During(ctx, what, b.Cluster.HTTPAddrs(), func() error { return b.Restart(ctx, node) })
	if err == nil {
		err = b.CheckBalance(ctx)
	}
	return event, err
}

// Missed lists the events whose slowest answer took longer than their limit.
func (r Report) Missed(kill, restart time.Duration) (missed []string) {
	for _, group := range []struct {
		events []Event
		limit  time.Duration
	}{{r.Kills, kill}, {r.Restarts, restart}} {
		for _, e := range group.events {
			if e.Slowest() > group.limit {
				missed = append(missed, fmt.Sprintf("%s: slowest answer %v, limit %v", e.What, e.Slowest().Round(time.Millisecond), group.limit))
			}
		}
	}
	return missed
}

// Summary gives the spread of the slowest answers.
func (r Report) Summary() string {
	return spread("leader killed", r.Kills) + spread("restarted", r.Restarts)
}

func spread(what string, events []Event) string {
	if len(events) == 0 {
		return ""
	}
	var slowest []time.Duration
	answers := 0
	for _, e := range events {
		slowest = append(slowest, e.Slowest())
		answers += len(e.Answers)
	}
	slices.Sort(slowest)
	return fmt.Sprintf("%s: %d times, %d answers, none failed; slowest answer of each: least %v, median %v, most %v\n", what, len(events), answers,
		slowest[0].Round(time.Millisecond), slowest[len(slowest)/2].Round(time.Millisecond), slowest[len(slowest)-1].Round(time.Millisecond))
}
