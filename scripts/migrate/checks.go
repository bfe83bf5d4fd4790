package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// interrupted kills the migration at random points. Each time the next start goes on; at the end nothing is missing and nothing was done twice.
func interrupted(ctx context.Context, b *bench) error {
	report, state := filepath.Join(b.dir, "report.ndjson"), filepath.Join(b.dir, "state.json")
	pass := []string{"--report", report, "--state", state}
	var dry, whole summary
	if err := b.migrate(ctx, &dry, "--dry-run", "--report", filepath.Join(b.dir, "dry.ndjson")); err != nil {
		return err
	}
	if err := b.expect(dry); err != nil {
		return fmt.Errorf("--dry-run: %w", err)
	}
	if left, err := b.balances(ctx); err == nil || left != 0 {
		return errors.New("--dry-run wrote something")
	}
	random := rand.New(rand.NewPCG(b.seed, 2))
	longest := time.Duration(b.keys) * 150 * time.Microsecond / time.Duration(b.kills+1) // all together less than the pass takes
	kills := 0
	for ; kills < b.kills; kills++ {
		var out bytes.Buffer
		process, err := b.start(&out, &out, pass...)
		if err != nil {
			return err
		}
		if err := launch.Pause(ctx, 50*time.Millisecond+time.Duration(random.Int64N(int64(longest)))); err != nil {
			process.Kill()
			return err
		}
		if process.Running() {
			process.Kill()
			continue
		}
		if !process.State().Success() {
			return fmt.Errorf("the migration ended with %v: %s", process.State(), &out)
		}
		break
	}
	if err := b.migrate(ctx, &whole, pass...); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(b.out, "interrupted: killed %d times\n", kills)
	if err := b.expect(whole); err != nil {
		return fmt.Errorf("after %d kills: %w", kills, err)
	}
	if err := b.agrees(ctx, b.set.Expect.Plain); err != nil {
		return err
	}
	return b.again(ctx)
}

// again runs the whole migration once more, with and without a state, which must write nothing.
func (b *bench) again(ctx context.Context) error {
	var again summary
	if err := b.migrate(ctx, &again); err != nil {
		return err
	}
	if err := b.expect(again); err != nil {
		return fmt.Errorf("a second run: %w", err)
	}
	if n := again.wrote(); n != 0 {
		return fmt.Errorf("a second run wrote %d things", n)
	}
	return b.agrees(ctx, b.set.Expect.Plain)
}

// agrees compares both sides, and the sum of the balances with what it must be.
func (b *bench) agrees(ctx context.Context, want uint64) error {
	if err := b.verify(ctx); err != nil {
		return err
	}
	return b.sums(ctx, want)
}

func (b *bench) sums(ctx context.Context, want uint64) error {
	have, err := b.balances(ctx)
	if err == nil && have != want {
		err = fmt.Errorf("the balances of the cluster are %d in sum, not %d", have, want)
	}
	return err
}

// cutover moves while the old side charges: a first pass under load, a second one after the old side has stopped, the switch, and a last pass
// for debits that came late, when the new side charges already.
func cutover(ctx context.Context, b *bench) error {
	state := []string{"--state", filepath.Join(b.dir, "state.json")}
	load, stop := context.WithCancel(ctx)
	defer stop()
	type charged struct {
		credits uint64
		err     error
	}
	if err := b.set.AddIdentity(ctx, "id_before", namesake); err != nil {
		return err
	}
	old := make(chan charged, 1)
	go func() {
		n, err := b.set.Charge(load, b.seed, b.charges)
		old <- charged{n, err}
	}()
	began := time.Now()
	var first, second, last summary
	if err := b.migrate(ctx, &first, state...); err != nil {
		return err
	}
	took := time.Since(began)
	_, _ = fmt.Fprintf(b.out, "cutover: %d keys in %s while the old side charged: %.0f keys/s\n", b.keys, took.Round(time.Millisecond), float64(b.keys)/took.Seconds())
	stop()
	onOld := <-old
	if onOld.err != nil {
		return onOld.err
	}
	late, err := b.set.Charge(ctx, b.seed+1, 200) // between the passes
	if err != nil {
		return err
	}
	left := b.set.Expect.Plain - onOld.credits - late
	if err := b.deletions(ctx, state, left); err != nil {
		return err
	}
	gone, err := b.set.Delete(ctx, 3)
	if err != nil {
		return err
	}
	began = time.Now()
	if err := b.migrate(ctx, &second, append(state, "--since", "last")...); err != nil {
		return err
	}
	if n := second.removed(); n != len(gone) {
		return fmt.Errorf("%d keys were deleted at the source, and %d in the cluster", len(gone), n)
	}
	_, _ = fmt.Fprintf(b.out, "cutover: second pass in %s\n", time.Since(began).Round(time.Millisecond))
	if err := b.agrees(ctx, left); err != nil {
		return fmt.Errorf("after the second pass: %w", err)
	}
	if err := ahead(ctx, b, left); err != nil {
		return err
	}
	onNew, err := b.charge(ctx, 300)
	if err != nil {
		return err
	}
	if late, err = b.set.Charge(ctx, b.seed+2, 100); err != nil {
		return err
	}
	if err := b.migrate(ctx, &last, append(state, "--since", "last")...); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(b.out, "cutover: charged %d on the old side, %d of it late, and %d on the new one\n", onOld.credits+late, late, onNew)
	if err := b.sums(ctx, left-onNew-late); err != nil {
		return fmt.Errorf("after the last pass: %w", err)
	}
	return nil
}

// namesake is the external id of an identity, and after its deletion that of another one.
const namesake = "the namesake"

// deletions deletes at the source, long before the next pass. That one is complete, so it must find what its predecessors took over, also where
// something new has the name of what went.
func (b *bench) deletions(ctx context.Context, state []string, left uint64) error {
	gone, err := b.set.Delete(ctx, 3)
	err = errors.Join(err, b.set.DeleteIdentity(ctx, "id_before"), b.set.AddIdentity(ctx, "id_after", namesake), b.set.DeleteOverride(ctx),
		b.set.DeleteAPI(ctx))
	if err != nil {
		return err
	}
	var pass summary
	if err := b.migrate(ctx, &pass, state...); err != nil {
		return err
	}
	if n := pass.removed(); n != len(gone)+3 {
		return fmt.Errorf("%d things were deleted at the source, and %d in the cluster", len(gone)+3, n)
	}
	if err := b.agrees(ctx, left); err != nil {
		return fmt.Errorf("after the deletions: %w", err)
	}
	return nil
}

// charge debits keys through the cluster with the secrets that customers have, and returns how many credits that took from plain balances.
func (b *bench) charge(ctx context.Context, count int) (charged uint64, err error) {
	client := launch.NewClient(b.cluster.HTTPAddr(1), time.Minute)
	defer client.Close()
	for n := 0; count > 0 && n < b.keys; n++ {
		if !b.set.Takes(n) || !b.set.Plain(n) {
			continue
		}
		count--
		var verdict struct {
			Code    string  `json:"code"`
			Credits *uint64 `json:"credits"`
		}
		if answer := client.Call(ctx, "keys.verifyKey", map[string]any{"key": unkeydb.Secret(n), "credits": map[string]int{"cost": 3}}, &verdict); answer.Err != nil {
			return 0, answer.Err
		}
		switch verdict.Code {
		case "VALID":
			if verdict.Credits != nil && !b.set.OwnerPays(n) {
				charged += 3
			}
		case "DISABLED", "EXPIRED", "USAGE_EXCEEDED", "RATE_LIMITED":
		default:
			return 0, fmt.Errorf("key %d: %s", n, verdict.Code)
		}
	}
	return charged, nil
}
