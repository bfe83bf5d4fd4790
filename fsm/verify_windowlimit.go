package fsm

// LimitWindows sets how many windows of rate limits the ledger may hold; 0: any number. It is a setting of the node. Peek refuses by it, and
// Apply never asks: an entry under way may open some more.
func (s *State) LimitWindows(most uint64) { s.mostWindows = most }

// windowsFull refuses a command that would open a window while its workspace may open none. The workspaces share the limit as they share the
// idempotency store. A command that only counts in windows that are open goes on. Below ledger version 3, a node may not know the refusal.
func (s *State) windowsFull(root *rootKey, c Command) *Refusal {
	if s.version < thirdRules {
		return nil
	}
	w := root.workspace
	quota := w.quotas[WindowsQuota]
	over := quota.Limited && w.used[WindowsQuota] >= quota.Limit
	if !over && shares(uint64(w.used[WindowsQuota]), uint64(len(s.rateLimits.expiries)), s.mostWindows, len(s.workspaces)) || !mayOpen(s, root, c) {
		return nil
	}
	if over {
		return w.exhausted(WindowsQuota, quotaRetryAfter)
	}
	return &Refusal{Code: QuotaExceeded, Detail: "The workspace's share of the rate limit windows is used up", RetryAfter: quotaRetryAfter}
}

// windowOpener is a command that may open a window.
type windowOpener interface {
	// opensWindow reports whether its execution would open one.
	opensWindow(s *State, root *rootKey) bool
}

func mayOpen(s *State, root *rootKey, c Command) bool {
	opener, ok := c.(windowOpener)
	return ok && opener.opensWindow(s, root)
}

func (c *VerifyKey) opensWindow(s *State, root *rootKey) bool {
	d, refusal := s.decide(root, c, nil)
	return refusal == nil && d.takes() && opensWindow(d.limits)
}

func (c *VerifyMigrated) opensWindow(s *State, root *rootKey) bool {
	d, refusal, _ := s.planMigratedKey(root, c, nil)
	return refusal == nil && d.takes() && opensWindow(d.limits)
}

func (c *ConsumeRatelimits) opensWindow(s *State, root *rootKey) bool {
	p, refusal := s.planRatelimits(root, c)
	return refusal == nil && p.passed && opensWindow(p.checks)
}

// opensWindow does bounded work, as the execution of the batch does.
func (c *VerifyKeys) opensWindow(s *State, root *rootKey) bool {
	pending := newPendingEffects()
	for i := range c.Items {
		item := &c.Items[i]
		if s.exhausted(pending, 0) {
			return false // the rest is refused
		}
		if item.Idempotency != nil && s.findItemReplay(root, item) != nil {
			continue
		}
		d, refusal, _ := s.planItem(root, item.Command, pending)
		if refusal != nil {
			continue
		}
		if d.takes() && opensWindow(d.limits) {
			return true
		}
		pending.add(&d)
	}
	return false
}

func opensWindow(checks []limitCheck) bool {
	for i := range checks {
		if c := &checks[i]; c.cost > 0 && (c.found == nil || !c.found.present) {
			return true
		}
	}
	return false
}

// loadCountedWindow also finds the workspace that a window counts for. The key may be gone; then the window counts for none.
func (s *State) loadCountedWindow(r *WindowRecord) bool {
	w, ok := s.loadWindow(r)
	if !ok {
		return false
	}
	switch r.Scope {
	case KeyScope:
		if k := s.keys.find(r.Owner); k != nil {
			w.countFor(k.api.workspace)
		}
	case IdentityScope:
		if i := s.identities.find(r.Owner); i != nil {
			w.countFor(i.workspace)
		}
	case NamespaceScope:
		if n := s.namespaces[r.Owner]; n != nil {
			w.countFor(n.workspace)
		}
	}
	return true
}
