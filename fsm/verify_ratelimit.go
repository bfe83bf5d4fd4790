package fsm

import "fmt"

// limitCheck is the check of one rate limit.
type limitCheck struct {
	Ratelimit
	window   windowName
	found    *window // nil: there is none
	cost     int64
	used     int64 // before the cost
	earlier  int64 // taken from the same window by earlier parts of the same call
	exceeded bool
}

// evaluate fills in the state of a check that has its rate limit, window and cost. It changes nothing else.
func (l *rateLimits) evaluate(c *limitCheck) {
	c.found = l.windows.find(c.window)
	c.used = c.found.used(l.clock)
	c.setExceeded()
}

// setExceeded denies if the used tokens plus the cost exceed the limit. A limit of 0 denies everything [D-12, D-13].
func (c *limitCheck) setExceeded() {
	used := c.used + c.earlier // no overflow: earlier parts passed, so they are within a limit
	c.exceeded = c.Limit == 0 || used > c.Limit || c.cost > c.Limit-used
}

// remaining is what is left after the cost was taken, or without it.
func (c *limitCheck) remaining(taken bool) int64 {
	left := c.Limit - c.used
	if taken {
		left -= c.earlier + c.cost
	}
	if c.exceeded {
		return 0
	}
	return max(0, left)
}

// requestedChecks are the rate limits that a verification names. The last one of each name counts.
type requestedChecks struct {
	list   []RatelimitCheck
	byName map[string]int // position in list; nil: the list is short
}

// maxLinearSearch is the length up to which searching a list is cheaper than an index. A request names up to 50 [D-31], in
// entries of older builds thousands, and all nodes wait while they are checked.
const maxLinearSearch = 16

func (c *VerifyKey) requestedChecks() requestedChecks {
	a := requestedChecks{list: c.Ratelimits}
	if len(a.list) > maxLinearSearch {
		a.byName = make(map[string]int, len(a.list))
		for i := range a.list {
			a.byName[a.list[i].Name] = i
		}
	}
	return a
}

// named returns the check that the verification requests; nil: none.
func (a *requestedChecks) named(name string) *RatelimitCheck {
	if a.byName != nil {
		if i, ok := a.byName[name]; ok {
			return &a.list[i]
		}
		return nil
	}
	for i := len(a.list) - 1; i >= 0; i-- {
		if a.list[i].Name == name {
			return &a.list[i]
		}
	}
	return nil
}

// hasRatelimits reports whether a verification of the key may have to check a rate limit. Every verification calls it.
func (k *key) hasRatelimits(c *VerifyKey) bool {
	return len(c.Ratelimits) > 0 || k.details != nil && len(k.details.ratelimits) > 0 ||
		k.identity != nil && len(k.identity.ratelimits) > 0
}

// checkLimits runs step 9 of contract 3.3 for a decision that is valid so far. It does not change the ledger.
func (s *verifier) checkLimits(d *decision, c *VerifyKey) *Refusal {
	k := d.key
	own, i := k.ratelimits(), k.liveIdentity()
	most := len(own) + len(c.Ratelimits)
	if i != nil {
		most += len(i.ratelimits)
	}
	d.limits = make([]limitCheck, 0, most)
	requested := c.requestedChecks()
	for at := range own {
		s.checkCandidate(d, &requested, &own[at], KeyScope, k.id)
	}
	if i != nil {
		for at := range i.ratelimits {
			if r := &i.ratelimits[at]; ratelimitNamed(own, r.Name) == nil {
				s.checkCandidate(d, &requested, r, IdentityScope, i.id)
			}
		}
	}
	for at := range c.Ratelimits {
		ask := &c.Ratelimits[at]
		if ask != requested.named(ask.Name) {
			continue
		}
		switch {
		case ask.AdHoc:
			r := Ratelimit{Name: ask.Name, Limit: ask.Limit, Duration: s.counted(ask.Duration, maxAdHocDuration)}
			s.addCheck(d, &r, KeyScope, k.id, ask.Cost)
		case ratelimitNamed(own, ask.Name) == nil && (i == nil || ratelimitNamed(i.ratelimits, ask.Name) == nil):
			return unknownRatelimit(ask.Name, k, i)
		}
	}
	for at := range d.limits {
		if d.limits[at].exceeded {
			d.code = RateLimited
		}
	}
	return nil
}

// checkCandidate checks a configured rate limit if the verification names it, or if it applies automatically.
func (s *verifier) checkCandidate(d *decision, requested *requestedChecks, r *Ratelimit, scope WindowScope, owner string) {
	cost := int64(1)
	switch ask := requested.named(r.Name); {
	case ask != nil && ask.AdHoc, ask == nil && !r.AutoApply:
		return
	case ask != nil:
		cost = ask.Cost
	}
	s.addCheck(d, r, scope, owner, cost)
}

// addCheck adds a check to a decision. Tokens in the pending effects count as used.
func (s *verifier) addCheck(d *decision, r *Ratelimit, scope WindowScope, owner string, cost int64) {
	d.limits = append(d.limits, limitCheck{Ratelimit: *r, cost: cost})
	c := &d.limits[len(d.limits)-1]
	c.Duration = s.counted(r.Duration, maxDuration)
	c.window = windowName{scope, owner, r.Name, c.Duration}
	s.evaluate(c)
	if d.pending != nil {
		d.pending.spend(checkWork)
		c.earlier = d.pending.tokens[c.window]
		c.setExceeded()
	}
}

func unknownRatelimit(name string, k *key, i *identity) *Refusal {
	whose := "and the key has no identity"
	if i != nil {
		whose = fmt.Sprintf("and neither does its identity '%s' with the external id '%s'", i.id, i.externalID)
	}
	return &Refusal{
		Code:   PreconditionFailed,
		Detail: fmt.Sprintf("The requested rate limit '%s' does not exist: the key '%s' has none of that name, %s", name, k.id, whose),
	}
}

// takes reports whether executing the decision takes tokens. It does so also if the credits deny: see contract 3.4.
func (d *decision) takes() bool {
	if d.code != Valid && d.code != UsageExceeded {
		return false
	}
	for i := range d.limits {
		if d.limits[i].cost > 0 {
			return true
		}
	}
	return false
}

// takeLimits takes the tokens of a decision.
func (s *verifier) takeLimits(d *decision) {
	for i := range d.limits {
		if c := &d.limits[i]; c.cost > 0 {
			s.take(d.key.api.workspace, c.window, c.found, c.cost)
		}
	}
}

// ratelimits returns the checked rate limits.
func (d *decision) ratelimits(now int64) []RatelimitState {
	if len(d.limits) == 0 {
		return nil
	}
	taken := d.code != RateLimited && !d.cancelled
	list := make([]RatelimitState, len(d.limits))
	for i := range d.limits {
		c := &d.limits[i]
		list[i] = RatelimitState{
			Ratelimit: c.Ratelimit, Reset: windowEnd(now, c.Duration, 1), Remaining: c.remaining(taken), Exceeded: c.exceeded,
		}
	}
	return list
}

// shownTo returns the rate limits of an identity that apply to a key. The key's own ones replace those of the same name.
func (i *identity) shownTo(k *key) []Ratelimit {
	own := k.ratelimits()
	if len(own) == 0 || len(i.ratelimits) == 0 {
		return i.ratelimits
	}
	var list []Ratelimit
	for _, r := range i.ratelimits {
		if ratelimitNamed(own, r.Name) == nil {
			list = append(list, r)
		}
	}
	return list
}
