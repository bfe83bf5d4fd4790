package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// initial is what the key of every client begins with: more than a run can spend.
const initial = 1_000_000_000

// refusedWait is how long a client waits after a node did not execute.
const refusedWait = 5 * time.Millisecond

// debitClient debits a key of its own through one node, one debit after the other, and keeps account of the answers.
type debitClient struct {
	node *client.Client
	launch.Key

	mu         sync.Mutex // held for the time of a debit
	last       int64      // the balance that the last answered debit left
	loose      int64      // debits since then whose outcome is unknown
	answered   int64
	unknown    int64
	violations []error
}

func (d *debitClient) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !d.debit() {
			_ = launch.Pause(ctx, refusedWait) // the loop sees the end of ctx
		}
	}
}

// debit spends one credit, and reports whether that was answered.
func (d *debitClient) debit() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	var verdict struct {
		Valid   bool  `json:"valid"`
		Credits int64 `json:"credits"`
	}
	answer := d.node.Call(context.Background(), "keys.verifyKey", map[string]any{"key": d.Key.Key}, &verdict)
	switch answer.Outcome {
	case client.Executed:
		if !verdict.Valid || !d.agrees(verdict.Credits+1) {
			d.violations = append(d.violations, fmt.Errorf("%s: a debit left %d (valid: %v) after %d with %d unknown",
				d.ID, verdict.Credits, verdict.Valid, d.last, d.loose))
		}
		d.last, d.loose = verdict.Credits, 0
		d.answered++
		return true
	case client.Unknown:
		d.loose++
		d.unknown++
	case client.Refused:
		d.violations = append(d.violations, fmt.Errorf("%s: %w", d.ID, answer.Err))
	}
	return false
}

// check compares the balance that node i shows with the answers.
func (d *debitClient) check(ctx context.Context, cluster *launch.Cluster, i int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	balance, err := cluster.Balance(ctx, i, d.ID)
	if err != nil {
		return err
	}
	if !d.agrees(balance) {
		d.violations = append(d.violations, fmt.Errorf("%s: node %d shows %d; the last answered debit left %d, and %d are unknown", d.ID, i, balance, d.last, d.loose))
	}
	return nil
}

// agrees reports whether a balance is what was answered, less at most what is unknown.
func (d *debitClient) agrees(balance int64) bool {
	return balance <= d.last && balance >= d.last-d.loose
}
