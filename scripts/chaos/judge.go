package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/scripts/chaos/drill"
	"github.com/creditd/creditd/scripts/chaos/history"
)

// judgeLimit bounds the search for one balance. A balance that needs longer counts as undecided.
const judgeLimit = 20 * time.Second

// maxUndecided is how many balances of a run may stay undecided, as a share: more would be no verdict.
const maxUndecided = 0.01

// judged saves the record of a drill and has its answers checked for linearizability, by a program of another module.
func judged(ctx context.Context, built tools, dir string, result *drill.Result) error {
	name := filepath.Join(dir, "history.jsonl")
	if err := history.Save(name, result.Owners, result.Ops); err != nil {
		return err
	}
	if result.Owners == nil {
		return nil // the cluster did not heal, so the balances at the end are not known; that is a violation already
	}
	out, err := exec.CommandContext(ctx, built.judge, "-timeout", judgeLimit.String(), name).Output()
	var failed *exec.ExitError
	if err != nil && (!errors.As(err, &failed) || failed.ExitCode() != 1) {
		return fmt.Errorf("judge %s: %w", name, err)
	}
	var verdict struct {
		Accounts                     int
		Illegal, Undecided, Pictures []string
	}
	if err := json.Unmarshal(out, &verdict); err != nil {
		return fmt.Errorf("judge %s: %w", name, err)
	}
	result.Linearizable = verdict.Accounts - len(verdict.Illegal) - len(verdict.Undecided)
	result.Undecided += len(verdict.Undecided)
	for _, account := range verdict.Illegal {
		result.Violations = append(result.Violations, account+": no order of the operations explains the answers")
	}
	for _, picture := range verdict.Pictures {
		result.Violations = append(result.Violations, "drawn in "+picture)
	}
	if float64(result.Undecided) > maxUndecided*float64(verdict.Accounts) {
		result.Violations = append(result.Violations, fmt.Sprintf("%d of %d balances are too entangled to judge", result.Undecided, verdict.Accounts))
	}
	return nil
}
