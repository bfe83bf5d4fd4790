package failover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

// Config says what to do.
type Config struct {
	RootKey  string
	Clients  int
	Kills    int           // of the leader
	Restarts int           // rounds in which each node is restarted once
	Steady   time.Duration // of load before and after each event
	Log      io.Writer     // one line per event
}

// Event is what clients noticed of one kill or restart.
type Event struct {
	What     string
	Answers  []time.Duration // sorted
	Failures []string        // calls that were answered with an error, or not at all
	Moved    int             // clients that were told to go elsewhere, or found nobody before anything was sent
}

// Slowest is the longest time that any call took.
func (e Event) Slowest() time.Duration { return e.Answers[len(e.Answers)-1] }

func (e Event) String() string {
	at := func(share float64) time.Duration {
		return e.Answers[int(share*float64(len(e.Answers)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%-18s %6d answers, median %v, p99 %v, p99.9 %v, slowest %v, %d moved, %d failed",
		e.What, len(e.Answers), at(0.5), at(0.99), at(0.999), e.Slowest().Round(time.Millisecond), e.Moved, len(e.Failures))
}

// Report is the whole measurement.
type Report struct {
	Kills, Restarts []Event
}

const (
	patience    = time.Minute
	stopGrace   = 20 * time.Second
	callTimeout = 20 * time.Second
	credits     = 1 << 50
)

// bench is a measurement under way.
type bench struct {
	config  Config
	cluster *local.Cluster
	client  *wire.Client
	keyID   string
	key     string
	charged int64 // as the answers say
}

// Run measures a cluster whose nodes are ready, and leaves it running. A broken promise is an error.
func Run(ctx context.Context, config Config, cluster *local.Cluster) (Report, error) {
	b := &bench{config: config, cluster: cluster, client: wire.NewClient(config.RootKey, callTimeout)}
	defer b.client.Close()
	var report Report
	if err := b.setup(ctx); err != nil {
		return report, err
	}
	for i := range config.Kills {
		event, err := b.kill(ctx, fmt.Sprintf("kill %d", i+1))
		if err != nil {
			return report, err
		}
		report.Kills = append(report.Kills, event)
	}
	for range config.Restarts {
		for node := range cluster.Size() {
			event, err := b.restart(ctx, node)
			if err != nil {
				return report, err
			}
			report.Restarts = append(report.Restarts, event)
		}
	}
	return report, errors.Join(cluster.Crashes()...)
}

// setup makes the key that everyone charges.
func (b *bench) setup(ctx context.Context) error {
	var api struct {
		ID string `json:"apiId"`
	}
	if err := b.call(ctx, "apis.createApi", map[string]any{"name": "creditd-failover"}, &api); err != nil {
		return err
	}
	var key struct {
		ID  string `json:"keyId"`
		Key string `json:"key"`
	}
	body := map[string]any{"apiId": api.ID, "credits": map[string]any{"remaining": int64(credits)}}
	err := b.call(ctx, "keys.createKey", body, &key)
	b.keyID, b.key = key.ID, key.Key
	return err
}

// call repeats what was not executed, at whichever node is up.
func (b *bench) call(ctx context.Context, endpoint string, body, data any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	node := 0
	return local.Await(ctx, endpoint, func(context.Context) error {
		node = (node + 1) % b.cluster.Size()
		if answer := b.client.Call(b.cluster.HTTPAddr(node), endpoint, body, data); answer.Fate != wire.Executed {
			return errors.New(answer.Detail)
		}
		return nil
	})
}

// leader waits until the nodes agree on who leads and on one state.
func (b *bench) leader(ctx context.Context) (leader int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.cluster.AwaitReady(ctx); err != nil {
		return 0, err
	}
	err = local.Await(ctx, "one leader and one state", func(context.Context) error {
		for node := range b.cluster.Size() {
			status, err := b.client.Status(b.cluster.HTTPAddr(node))
			if err == nil {
				err = status.Converged(b.cluster.Size())
			}
			if err != nil {
				return err
			}
			leader = slices.Index(b.cluster.HTTPAddrs(), status.LeaderAddr())
		}
		if leader < 0 {
			return errors.New("the leader's address is none of ours")
		}
		return nil
	})
	return leader, err
}

// kill ends the leader with -9 while clients charge through the others.
func (b *bench) kill(ctx context.Context, what string) (Event, error) {
	leader, err := b.leader(ctx)
	if err != nil {
		return Event{}, err
	}
	survivors := slices.Delete(b.cluster.HTTPAddrs(), leader, leader+1)
	event, err := b.during(ctx, what, survivors, func() error {
		b.cluster.Kill(leader)
		return nil
	})
	if err == nil {
		err = b.cluster.Start(leader)
	}
	if err == nil {
		err = b.audit(ctx, event)
	}
	return event, err
}

// restart stops and starts one node while clients charge through all of them.
func (b *bench) restart(ctx context.Context, node int) (Event, error) {
	leader, err := b.leader(ctx)
	if err != nil {
		return Event{}, err
	}
	what := fmt.Sprintf("restart %d", node)
	if node == leader {
		what += " (leader)"
	}
	event, err := b.during(ctx, what, b.cluster.HTTPAddrs(), func() error {
		if err := b.cluster.Stop(node, stopGrace); err != nil {
			return err
		}
		if err := b.cluster.Start(node); err != nil {
			return err
		}
		ready, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return b.cluster.AwaitNode(ready, node)
	})
	if err == nil {
		err = b.audit(ctx, event)
	}
	return event, err
}

// during runs clients before, while and after something happens.
func (b *bench) during(ctx context.Context, what string, addrs []string, happen func() error) (Event, error) {
	load := startLoad(b.config.RootKey, b.key, addrs, b.config.Clients)
	err := pause(ctx, b.config.Steady)
	if err == nil {
		err = happen()
	}
	if err == nil {
		err = load.awaitProgress(ctx)
	}
	if err == nil {
		err = pause(ctx, b.config.Steady)
	}
	event := load.stop(what)
	b.charged += int64(len(event.Answers))
	if err == nil {
		_, _ = fmt.Fprintln(b.config.Log, event)
	}
	return event, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// audit holds what the answers say was charged against what is missing.
func (b *bench) audit(ctx context.Context, event Event) error {
	if len(event.Failures) > 0 {
		return fmt.Errorf("%s: %d calls failed, the first with %s", event.What, len(event.Failures), event.Failures[0])
	}
	var data struct {
		Credits struct {
			Remaining int64 `json:"remaining"`
		} `json:"credits"`
	}
	if err := b.call(ctx, "keys.getKey", map[string]any{"keyId": b.keyID}, &data); err != nil {
		return err
	}
	if spent := credits - data.Credits.Remaining; spent != b.charged {
		return fmt.Errorf("%s: %d credits are gone, %d charges were answered", event.What, spent, b.charged)
	}
	return nil
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
