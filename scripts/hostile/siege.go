package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// siege is one run: a cluster, its victim, and what is known of both.
type siege struct {
	settings
	cluster   *launch.Cluster
	victim    *victim
	attackers string // the binary of the attackers
	group     idleGroup
	dir       string
	recording string
	log       io.Writer
	held      []holding // by node, before the attacks
	before    *window   // what the victim saw before the attacks
	between   *window   // and between and behind them
	endured   []endured
	broken    []error // bounds
}

// endured is what one attack did.
type endured struct {
	name string
	suffered
	memory int64 // bytes, of the node that took most
}

// besiege runs every attack, one after the other, and returns which bounds were broken.
func besiege(ctx context.Context, s settings, dir string, stdout io.Writer) (err error) {
	binary := s.binary
	if binary == "" {
		if binary, err = (launch.Build{}).Into(ctx, dir); err != nil {
			return err
		}
	}
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: binary, Dir: dir, Nodes: 3, LogStore: s.logStore, Open: s.open, TLS: s.tls, Admin: s.profiles})
	if err != nil {
		return err
	}
	defer cluster.Close()
	b := &siege{settings: s, cluster: cluster, dir: dir, log: stdout, before: newWindow(), between: newWindow()}
	if b.attackers, err = (launch.Build{Package: "./scripts/hostile"}).Into(ctx, dir); err != nil {
		return err
	}
	b.group = newIdleGroup()
	defer b.group.remove()
	_, _ = fmt.Fprintln(b.log, b.group)
	if b.victim, err = startVictim(ctx, cluster); err != nil {
		return err
	}
	defer b.victim.stop()
	before, err := b.restart(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.attacks, func(a attack) bool { return a.name == replayed }) {
		if b.recording, err = b.record(ctx, binary); err != nil {
			return fmt.Errorf("recording what nodes send: %w", err)
		}
	}
	if err := b.calm(ctx, b.before); err != nil {
		return err
	}
	if b.before.suffered().answers == 0 {
		return errors.New("the victim got no answer before the first attack")
	}
	if b.held, err = b.holds(ctx); err != nil {
		return err
	}
	err = b.endureAll(ctx)
	b.judge()
	if err != nil {
		return errors.Join(append(b.broken, err)...)
	}
	if err := b.awaitNoLeak(ctx); err != nil {
		b.broken = append(b.broken, err)
	}
	return b.end(ctx, before)
}

// share is the time of one attack. A third of it is quiet before the first attack and behind each.
func (b *siege) share() time.Duration {
	attacks := time.Duration(len(b.attacks) + 1) // and the one on nobody
	return b.duration * 3 / (4*attacks + 1)
}

// endureAll runs one attack after the other, with quiet behind each.
func (b *siege) endureAll(ctx context.Context) error {
	for _, a := range append([]attack{nothing()}, b.attacks...) {
		err := b.endure(ctx, a)
		if err == nil {
			err = b.calm(ctx, b.between)
		}
		if err != nil {
			return fmt.Errorf("attack %s: %w", a.name, err)
		}
	}
	return nil
}

// calm lets the victim be, and adds what it sees to a window. The machine is not as fast at all times, so the quiet is spread over the run as the
// attacks are.
func (b *siege) calm(ctx context.Context, into *window) error {
	profiles := func() error { return nil }
	if into == b.before {
		profiles = b.takeProfiles(ctx, "quiet", b.share()/3)
	}
	b.victim.next()
	earlier := cpuOf(b.cluster)
	if err := launch.Pause(ctx, b.share()/3); err != nil {
		return err
	}
	used := cpuOf(b.cluster).since(earlier)
	seen := b.victim.next()
	into.add(seen)
	if into == b.before {
		b.report("quiet", seen.suffered(), "  "+used)
	}
	return profiles()
}

// endure runs one attack and notes what it did.
func (b *siege) endure(ctx context.Context, a attack) error {
	o, err := b.order(ctx, a)
	if err != nil {
		return err
	}
	attackers, err := startAttackers(ctx, b.attackers, o)
	if err != nil {
		return err
	}
	if err := b.group.add(attackers.command.Process.Pid); err != nil {
		b.group.remove()
		b.group = ""
		_, _ = fmt.Fprintf(b.log, "%v (%v)\n", b.group, err)
	}
	memory, profiles := watchMemory(b.cluster), b.takeProfiles(ctx, a.name, b.share())
	b.victim.next()
	before := cpuOf(b.cluster)
	answers, err := attackers.strike()
	used := cpuOf(b.cluster).since(before)
	hurt, peak := b.victim.next().suffered(), memory.stop()
	if err = errors.Join(err, profiles()); err != nil {
		return err
	}
	b.report(a.name, hurt, fmt.Sprintf("  %s  memory %4d MiB  attackers %s", used, peak>>20, answers))
	if a.name == nothing().name {
		_, _ = fmt.Fprintln(b.log, "    the attackers used their CPU and attacked nobody: what comes on top of this is the nodes' part")
		return errors.Join(b.cluster.Crashes()...)
	}
	b.endured = append(b.endured, endured{a.name, hurt, peak})
	if answers == "" {
		b.broken = append(b.broken, fmt.Errorf("%s: the attackers got no answer, so nothing was attacked", a.name))
	}
	return errors.Join(b.cluster.Crashes()...)
}

// attackersKeys is the quota of keys of an attacker's workspace. Without one, what a tenant stores has no bound, and a restart loads it.
const attackersKeys = 100_000

// order makes a workspace for one attack, so that no attack finds the limits of an earlier one used up.
func (b *siege) order(ctx context.Context, a attack) (order, error) {
	o := order{Attack: a.name, Duration: b.share(), TLS: b.tls, Recording: b.recording}
	for i := range b.cluster.Size() {
		o.Places = append(o.Places, b.cluster.Place(i))
	}
	var workspace struct{ WorkspaceID string }
	if err := b.cluster.Call(ctx, launch.Anywhere, "workspaces.createWorkspace", map[string]any{"name": "attackers"}, &workspace); err != nil {
		return o, err
	}
	quotas := map[string]any{"workspaceId": workspace.WorkspaceID, "limits": map[string]any{"keys": attackersKeys}}
	if err := b.cluster.Call(ctx, launch.Anywhere, "workspaces.updateWorkspace", quotas, &struct{}{}); err != nil {
		return o, err
	}
	for key, settings := range map[*string]map[string]any{
		&o.Admin: {"preset": "admin"}, &o.Weak: {"permissions": []string{"api.none.read_api"}},
	} {
		settings["name"], settings["workspaceId"] = "attacker", workspace.WorkspaceID
		var made struct{ Key string }
		if err := b.cluster.Call(ctx, launch.Anywhere, "rootKeys.createRootKey", settings, &made); err != nil {
			return o, err
		}
		*key = made.Key
	}
	return o, nil
}

func (b *siege) report(name string, s suffered, rest string) {
	_, _ = fmt.Fprintf(b.log, "%-12s %v%s\n", name, s, rest)
}

// lastingRatio bounds the victim's p99 between attacks, as a multiple of what it was before them.
const lastingRatio = 2

// judge notes which bounds the attacks broke.
func (b *siege) judge() {
	all := newWindow()
	all.add(b.before)
	all.add(b.between)
	quiet, before, between := all.suffered(), b.before.suffered(), b.between.suffered()
	b.report("all quiet", quiet, "")
	refuse := func(format string, args ...any) { b.broken = append(b.broken, fmt.Errorf(format, args...)) }
	allowed := func(ratio float64, p99 time.Duration) time.Duration {
		return max(b.bounds.floor, time.Duration(ratio*float64(p99)))
	}
	if between.p99 > allowed(lastingRatio, before.p99) {
		refuse("the attacks have lasting effects: the p99 between them was %v, and before them %v", between.p99, before.p99)
	}
	if quiet.worst > b.bounds.slowest || len(quiet.failures) > 0 {
		refuse("while nobody attacked, the victim's slowest answer took %v, and it got these errors: %v", quiet.worst, quiet.failures)
	}
	for _, e := range b.endured {
		if most := allowed(b.bounds.ratio, quiet.p99); e.p99 > most {
			refuse("%s: the victim's p99 was %v, more than %v; quiet it is %v", e.name, e.p99, most, quiet.p99)
		}
		if e.answers == 0 {
			refuse("%s: the victim got no answer", e.name)
		}
		if e.worst > b.bounds.slowest {
			refuse("%s: the victim's slowest answer took %v, more than %v", e.name, e.worst, b.bounds.slowest)
		}
		if len(e.failures) > 0 {
			refuse("%s: the victim got errors: %v", e.name, e.failures)
		}
		if e.memory > b.bounds.memory {
			refuse("%s: a node took %d MiB of memory, more than %d MiB", e.name, e.memory>>20, b.bounds.memory>>20)
		}
	}
}

// restart stops a follower and starts it, and returns how long it took to be ready.
func (b *siege) restart(ctx context.Context) (time.Duration, error) {
	node, err := b.cluster.Follower(ctx)
	if err != nil {
		return 0, err
	}
	if err := b.cluster.Stop(node); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := b.cluster.Start(node); err != nil {
		return 0, err
	}
	if err := b.cluster.AwaitReady(ctx); err != nil {
		return 0, fmt.Errorf("node %d is not ready after a restart: %w", node, err)
	}
	return time.Since(begin), nil
}

// restartFloor is what a restart may take whatever one took before: it loads what the attackers stored within their quotas. That is some 300,000
// records, beside two nodes that serve: 0.9 s, and 2.4 s on a machine that is busy with others.
const restartFloor = 3 * time.Second

// end restarts a node, compares the nodes and the victim's balance, and returns what was broken.
func (b *siege) end(ctx context.Context, before time.Duration) error {
	after, err := b.restart(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(b.log, "restart of a node: %v before, %v afterwards\n", before.Round(time.Millisecond), after.Round(time.Millisecond))
	if bound := max(restartFloor, time.Duration(b.bounds.restart*float64(before))); after > bound {
		b.broken = append(b.broken, fmt.Errorf("a restart took %v, more than %v", after, bound))
	}
	if err := b.victim.check(ctx); err != nil {
		b.broken = append(b.broken, err)
	}
	if _, err := b.cluster.Converge(ctx); err != nil {
		b.broken = append(b.broken, err)
	}
	if err := b.cluster.StopAll(); err != nil {
		b.broken = append(b.broken, err)
	}
	return errors.Join(b.broken...)
}
