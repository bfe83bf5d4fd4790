package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/chaos/wire"
)

// initial is what every payer's key begins with: more than a run can spend.
const initial = 1_000_000_000

// refusedWait is how long a payer waits before it asks a node again that could not execute.
const refusedWait = 5 * time.Millisecond

// payer charges a key of its own through one node, one charge after the other, and keeps its own books.
type payer struct {
	addr       string
	keyID, key string

	mu         sync.Mutex // held for the time of a charge
	last       int64      // the balance that the last answered charge left
	loose      int64      // charges since then whose outcome is unknown
	answered   int64
	unknown    int64
	violations []error
}

func (p *payer) run(ctx context.Context, rootKey string) {
	client := wire.NewClient(rootKey, 10*time.Second)
	defer client.Close()
	for ctx.Err() == nil {
		if p.charge(client) {
			continue
		}
		select {
		case <-time.After(refusedWait):
		case <-ctx.Done():
		}
	}
}

// charge spends one credit, and reports whether that was answered.
func (p *payer) charge(client *wire.Client) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var verdict struct {
		Valid   bool  `json:"valid"`
		Credits int64 `json:"credits"`
	}
	answer := client.Call(p.addr, "keys.verifyKey", map[string]any{"key": p.key}, &verdict)
	switch answer.Fate {
	case wire.Executed:
		if !verdict.Valid || !p.agrees(verdict.Credits+1) {
			p.violations = append(p.violations, fmt.Errorf("%s: a charge left %d (valid: %v) after %d with %d unknown",
				p.keyID, verdict.Credits, verdict.Valid, p.last, p.loose))
		}
		p.last, p.loose = verdict.Credits, 0
		p.answered++
		return true
	case wire.Unknown:
		p.loose++
		p.unknown++
	case wire.Refused:
		p.violations = append(p.violations, fmt.Errorf("%s: %s", p.keyID, answer.Detail))
	}
	return false
}

// check compares the books with the balance that a node shows.
func (p *payer) check(client *wire.Client, addr string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var key struct {
		Credits struct {
			Remaining int64 `json:"remaining"`
		} `json:"credits"`
	}
	if answer := client.Call(addr, "keys.getKey", map[string]any{"keyId": p.keyID}, &key); answer.Fate != wire.Executed {
		return fmt.Errorf("the balance of %s: %s", p.keyID, answer.Detail)
	}
	if b := key.Credits.Remaining; !p.agrees(b) {
		p.violations = append(p.violations, fmt.Errorf("%s: %s shows %d; the last answered charge left %d, and %d are unknown", p.keyID, addr, b, p.last, p.loose))
	}
	return nil
}

// agrees reports whether a balance is what was answered, less at most what is unknown.
func (p *payer) agrees(balance int64) bool { return balance <= p.last && balance >= p.last-p.loose }
