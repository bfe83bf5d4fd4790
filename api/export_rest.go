package api

import (
	"fmt"
	"sync"
	"time"
)

// An export costs its workspace exportCost times as long as it took. What is owed passes with time, and beyond exportCredit the next export waits:
// docs/contract.md 1.10.
const (
	exportCost   = 4
	exportCredit = 10 * time.Second
	maxOwing     = 1000 // workspaces; more than can owe something at a time
)

// exportRests remembers what workspaces owe for their exports.
type exportRests struct {
	mu    sync.Mutex
	until map[string]time.Time // guarded by mu: when a workspace owes nothing
}

// wait is how long a workspace has to wait for its next export; 0: it need not. Who owes nothing never waits.
func (r *exportRests) wait(workspaceID string, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, owes := r.until[workspaceID]
	if !owes {
		return 0
	}
	return max(0, until.Sub(now)-exportCredit)
}

// note charges an export that ended now.
func (r *exportRests) note(workspaceID string, took time.Duration, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, least := now, workspaceID
	if owes := r.until[workspaceID]; owes.After(now) {
		from = owes
	}
	if r.until == nil {
		r.until = map[string]time.Time{}
	}
	r.until[workspaceID] = from.Add(exportCost * took)
	for id, until := range r.until {
		switch {
		case !until.After(now):
			delete(r.until, id)
		case until.Before(r.until[least]):
			least = id
		}
	}
	if len(r.until) > maxOwing {
		delete(r.until, least)
	}
}

// mayExport refuses an export of a workspace that owes too much.
func (r *exportRests) mayExport(workspaceID string, now time.Time) error {
	left := r.wait(workspaceID, now)
	if left == 0 {
		return nil
	}
	return &problem{errorType: &tooManyRequests, retryAfter: int64((left + time.Second - 1) / time.Second), detail: fmt.Sprintf(
		"The exports of this workspace rest %d times as long as they took on this node: ask again later", exportCost)}
}
