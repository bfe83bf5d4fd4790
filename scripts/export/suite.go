package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/api/client"
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

// move runs creditd export or import with one node.
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
	body, _, err := from.Stream(ctx, endpoint, request)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	_, err = io.Copy(f, body)
	return time.Since(began), err
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
