package faultrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/history"
	"github.com/creditd/creditd/scripts/chaos/replay"
	"github.com/creditd/creditd/scripts/launch"
)

// Lincheck is the program that checks a record for linearizability.
var Lincheck = launch.Build{Module: "scripts/chaos/lincheck"}

// searchTimeout bounds the search for one account. An account that needs longer counts as undecided.
const searchTimeout = 20 * time.Second

// maxUndecided is the share of accounts that may stay undecided.
const maxUndecided = 0.01

// check checks the record: the answers must come out the same when executed again in log order, and some order of the operations must
// explain them without their indexes.
func (r *run) check(ctx context.Context) error {
	replayed := replay.Check(r.result.Accounts, r.result.Ops)
	r.result.Violations = slices.Concat(r.result.Violations, replayed.Violations)
	r.result.Undecided, r.result.Resolved, r.result.Replayed = replayed.Undecided, replayed.Resolved, replayed.Replayed
	return r.checkLinearizability(ctx, filepath.Join(r.config.Dir, recordFile))
}

func (r *run) checkLinearizability(ctx context.Context, name string) error {
	out, err := exec.CommandContext(ctx, r.config.Lincheck, "-timeout", searchTimeout.String(), name).Output()
	var failed *exec.ExitError
	if err != nil && (!errors.As(err, &failed) || failed.ExitCode() != 1) {
		return fmt.Errorf("check %s: %w", name, err)
	}
	var found struct {
		Accounts                     int
		Illegal, Undecided, Pictures []string
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return fmt.Errorf("check %s: %w", name, err)
	}
	r.result.Linearizable = found.Accounts - len(found.Illegal) - len(found.Undecided)
	r.result.Undecided += len(found.Undecided)
	for _, account := range found.Illegal {
		r.violation("%s: no order of the operations explains the answers", account)
	}
	for _, picture := range found.Pictures {
		r.violation("drawn in %s", picture)
	}
	if float64(r.result.Undecided) > maxUndecided*float64(found.Accounts) {
		r.violation("%d of %d accounts have too many possible histories to check", r.result.Undecided, found.Accounts)
	}
	return nil
}

// recordFile is the record in Config.Dir.
const recordFile = "history.jsonl"

// save writes the record, with the final balances as far as they are known.
func (r *run) save() error {
	return history.Save(filepath.Join(r.config.Dir, recordFile), r.result.Accounts, r.result.Ops)
}
