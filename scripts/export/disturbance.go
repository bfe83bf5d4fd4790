package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// disturbance is what a node does while others charge. prepare comes before the measurement, and check looks at the outcome afterwards.
type disturbance struct {
	name    string
	prepare func(ctx context.Context) error // nil: nothing
	take    func(ctx context.Context, node int) (time.Duration, error)
	check   func(ctx context.Context) error
}

func (c *side) loadedExport(file string) disturbance {
	return disturbance{
		name: "export",
		take: func(ctx context.Context, node int) (time.Duration, error) {
			// An operator's: exports of one's own workspace rest between each other.
			return c.take(ctx, node, "records.exportRecords", map[string]any{"all": true}, file)
		},
		check: func(context.Context) error {
			_, err := digest(file)
			return err
		},
	}
}

func (c *side) backup(file string) disturbance {
	return disturbance{
		name: "backup",
		take: func(ctx context.Context, node int) (time.Duration, error) {
			return c.take(ctx, node, "cluster.saveSnapshot", struct{}{}, file)
		},
		check: func(ctx context.Context) error { return c.verify(ctx, file) },
	}
}

func (c *side) verify(ctx context.Context, file string) error {
	out, err := exec.CommandContext(ctx, c.binary, "snapshot", "verify", file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("creditd snapshot verify: %w: %s", err, out)
	}
	return nil
}

// schedule is a backup that the leader makes by itself, because it finds none. The measurement begins with its file.
func (c *side) schedule() disturbance {
	await := func(ctx context.Context, patterns ...string) (found string, err error) {
		err = launch.Await(ctx, "a backup", func(context.Context) error {
			for _, pattern := range patterns {
				if names, err := filepath.Glob(filepath.Join(c.backups, pattern)); err != nil || len(names) > 0 {
					found = slices.Concat(names, []string{""})[0]
					return err
				}
			}
			return fmt.Errorf("no file %v in %s", patterns, c.backups)
		})
		return found, err
	}
	const whole, begun = "creditd-*.snapshot", ".creditd-*.part"
	var file string
	return disturbance{
		name: "scheduled",
		prepare: func(ctx context.Context) error {
			last, err := await(ctx, whole)
			if err == nil {
				err = os.Remove(last)
			}
			if err == nil {
				_, err = await(ctx, begun, whole) // with few keys it is soon whole
			}
			return err
		},
		take: func(ctx context.Context, _ int) (time.Duration, error) {
			began := time.Now()
			var err error
			file, err = await(ctx, whole)
			return time.Since(began), err
		},
		check: func(ctx context.Context) error { return c.verify(ctx, file) },
	}
}

// take writes a stream to a file as it comes. creditd export and creditd snapshot save also check it, with a CPU that the nodes of this machine
// would miss.
func (c *side) take(ctx context.Context, node int, endpoint string, request any, name string) (took time.Duration, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	from := client.New(client.Config{Node: c.cluster.HTTPAddr(node), RootKey: c.rootKey, Timeout: time.Minute, DialTimeout: time.Second})
	defer from.Close()
	began := time.Now()
	body, err := stream(ctx, from, endpoint, request)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	_, err = io.Copy(f, body)
	return time.Since(began), err
}

// stream asks again after each 429, as the commands do: the node may be writing a snapshot of its own.
func stream(ctx context.Context, from *client.Client, endpoint string, request any) (io.ReadCloser, error) {
	body, _, err := client.StreamWhenWritten(func(minIndex uint64) (io.ReadCloser, http.Header, error) {
		return from.Stream(ctx, endpoint, request, minIndex)
	}, func(refused *client.Error) error { return launch.Pause(ctx, max(refused.RetryAfter, time.Second)) })
	return body, err
}

// disturb compares answer times without and with a disturbance at the leader, where it costs most. Rounds alternate, so that the noise of the machine
// is in both.
func (c *side) disturb(ctx context.Context, s settings, d disturbance, say func(string, ...any)) (err error) {
	leader, _, err := c.cluster.Leader(ctx, 0)
	if err != nil {
		return err
	}
	l := startLoad(ctx, s, c.cluster)
	defer func() { err = errors.Join(err, l.end()) }()
	warm := newTimes()
	if err := l.measure(warm, func() error { return launch.Pause(ctx, s.quiet/2) }); err != nil {
		return err
	}
	before, during := newTimes(), newTimes()
	var idle, most memory // garbage gathers without a disturbance, too
	taking := time.Duration(0)
	for range s.rounds {
		stop := watch(c.cluster.Process(leader))
		err := l.measure(before, func() error { return launch.Pause(ctx, max(s.quiet, taking/time.Duration(s.rounds))) })
		if idle = idle.or(stop()); err == nil && d.prepare != nil {
			err = d.prepare(ctx)
		}
		if err != nil {
			return err
		}
		stop = watch(c.cluster.Process(leader))
		var took time.Duration
		err = l.measure(during, func() (err error) {
			took, err = d.take(ctx, leader)
			return err
		})
		if most = most.or(stop()); err == nil {
			err = d.check(ctx)
		}
		if taking += took; err != nil {
			return err
		}
	}
	say("%-9s %d keys in %s, at the leader, under load", d.name, s.keys, (taking / time.Duration(s.rounds)).Round(time.Millisecond))
	say("without   %s", shown(before))
	say("during    %s", shown(during))
	say("p99       %.2f times", float64(at(during, 99))/float64(at(before, 99)))
	say("memory    own at most %d MiB without, %d MiB during; with mapped files %d and %d MiB", idle.own>>20, most.own>>20, idle.resident>>20, most.resident>>20)
	if p99 := at(during, 99); p99 > s.floor && float64(p99) > s.ratio*float64(at(before, 99)) {
		err = fmt.Errorf("the p99 of charges is %v during the %s and %v without: more than %.2f times", p99, d.name, at(before, 99), s.ratio)
	}
	if most.own > 2*idle.own+s.memory {
		err = errors.Join(err, fmt.Errorf("the node took %d MiB during the %s and %d MiB without", most.own>>20, d.name, idle.own>>20))
	}
	return err
}
