package fsm

import (
	"fmt"
	"slices"

	"github.com/creditd/creditd/fsm/fields"
)

// ConsumeRatelimits takes tokens from rate limits of namespaces: all of them, or none. See contract 2.6.
type ConsumeRatelimits struct{ Requests []RatelimitRequest }

// RatelimitRequest takes Cost tokens from one rate limit.
type RatelimitRequest struct {
	Namespace   string // id or name
	NamespaceID string // id for the namespace if it is new; if empty, a new namespace is refused with IDTaken
	Identifier  string
	Limit       int64 // at least 1
	Duration    int64 // ms, at least 1000
	Cost        int64
}

var (
	consumeRatelimitsType         = commandType{kind: 50, since: 1, unaudited: true, create: create[ConsumeRatelimits]}
	consumeRatelimitsCreatingType = commandType{kind: 50, since: 1, event: NamespaceCreated, create: create[ConsumeRatelimits]} // may create namespaces
)

func (c *ConsumeRatelimits) is() *commandType {
	if c.creates() {
		return &consumeRatelimitsCreatingType
	}
	return &consumeRatelimitsType
}

func (c *ConsumeRatelimits) fields(v *fields.Visitor) {
	fields.List(v, &c.Requests, (*RatelimitRequest).fields)
}

func (r *RatelimitRequest) fields(v *fields.Visitor) {
	v.String(&r.Namespace)
	v.String(&r.NamespaceID)
	v.String(&r.Identifier)
	v.Int(&r.Limit)
	v.Int(&r.Duration)
	v.Int(&r.Cost)
}

// apply decides and takes the tokens in one step.
func (c *ConsumeRatelimits) apply(s *State, root *rootKey) Result {
	p, refusal := s.planRatelimits(root, c)
	if refusal != nil {
		return refusal
	}
	for _, n := range p.create {
		s.addNamespace(n)
	}
	for i := range p.checks {
		if check := &p.checks[i]; p.passed && check.cost > 0 {
			s.take(root.workspace, check.window, check.found, check.cost)
		}
	}
	return p.answer(s.clock)
}

// ratelimitPlan is what a ConsumeRatelimits will do.
type ratelimitPlan struct {
	checks    []limitCheck
	overrides []*override  // parallel to checks; nil: none applies
	create    []*namespace // to create, also when a check fails
	compared  int          // bytes of identifiers, times the patterns that search them
	passed    bool
}

// planRatelimits runs all checks of a ConsumeRatelimits. It changes nothing.
func (s *State) planRatelimits(root *rootKey, c *ConsumeRatelimits) (ratelimitPlan, *Refusal) {
	p := ratelimitPlan{
		checks: make([]limitCheck, 0, len(c.Requests)), overrides: make([]*override, 0, len(c.Requests)), passed: true,
	}
	for i := range c.Requests {
		if refusal := c.Requests[i].check(); refusal != nil {
			return p, refusal
		}
	}
	for i := range c.Requests {
		r := &c.Requests[i]
		n, refusal := s.ratelimitNamespace(root, r, &p)
		if refusal != nil {
			return p, refusal
		}
		if p.compared += len(r.Identifier) * n.searching; s.version >= thirdRules && i > 0 && p.compared > maxCompared {
			return p, invalid(fmt.Sprintf("request %d: too much to compare with patterns: send fewer requests in a call, or shorter identifiers", i))
		}
		limit := Ratelimit{Limit: r.Limit, Duration: s.counted(r.Duration, maxAdHocDuration)}
		o := n.overrideOf(r.Identifier)
		if o != nil {
			limit.Limit, limit.Duration = o.limit, s.counted(o.duration, maxDuration)
		}
		check := limitCheck{Ratelimit: limit, window: windowName{NamespaceScope, n.id, r.Identifier, limit.Duration}, cost: r.Cost}
		s.evaluate(&check)
		p.share(&check)
		p.passed = p.passed && !check.exceeded
		p.checks, p.overrides = append(p.checks, check), append(p.overrides, o)
	}
	if len(p.create) > 0 {
		return p, root.workspace.room(Usage{NamespacesQuota: int64(len(p.create))})
	}
	return p, nil
}

// creates reports whether the command may create namespaces. The first attempt may not, because most namespaces exist.
func (c *ConsumeRatelimits) creates() bool {
	return slices.ContainsFunc(c.Requests, func(r RatelimitRequest) bool { return r.NamespaceID != "" })
}

func (r *RatelimitRequest) check() *Refusal {
	if r.Limit < 1 || r.Duration < minDuration || r.Cost < 0 {
		return invalid("limit must be at least 1, duration at least 1000, and cost must not be negative")
	}
	return nil
}

// share adds the tokens that earlier requests of the same call take from the same window.
func (p *ratelimitPlan) share(check *limitCheck) {
	for i := range p.checks {
		if o := &p.checks[i]; !o.exceeded && o.cost > 0 && o.window == check.window {
			check.earlier += o.cost
		}
	}
	check.setExceeded()
}

// ratelimitNamespace finds the namespace of a request, or plans a new one. See contract 2.6 for the order of checks.
func (s *State) ratelimitNamespace(root *rootKey, r *RatelimitRequest, p *ratelimitPlan) (*namespace, *Refusal) {
	n := s.findNamespace(root, r.Namespace)
	if n == nil {
		for _, planned := range p.create {
			if planned.name == r.Namespace {
				return planned, nil
			}
		}
		return s.planNamespace(root, r, p)
	}
	if n.deleted {
		return nil, refuse(RatelimitNamespaceGone)
	}
	if !root.may(LimitPermission, n.id) {
		return nil, LimitPermission.missing(n.id)
	}
	return n, nil
}

func (s *State) planNamespace(root *rootKey, r *RatelimitRequest, p *ratelimitPlan) (*namespace, *Refusal) {
	if !root.may(CreateNamespacePermission, "") {
		return nil, CreateNamespacePermission.missing("")
	}
	if !root.may(LimitPermission, "") {
		return nil, LimitPermission.missing("")
	}
	taken := r.NamespaceID == "" || s.namespaces[r.NamespaceID] != nil
	for _, planned := range p.create {
		taken = taken || planned.id == r.NamespaceID
	}
	if taken {
		return nil, refuse(IDTaken)
	}
	n := &namespace{id: r.NamespaceID, name: r.Namespace, workspace: root.workspace, createdAt: s.clock}
	p.create = append(p.create, n)
	return n, nil
}

// changes reports whether executing the plan changes anything.
func (p *ratelimitPlan) changes() bool {
	if len(p.create) > 0 {
		return true
	}
	for i := range p.checks {
		if p.passed && p.checks[i].cost > 0 {
			return true
		}
	}
	return false
}

func (p *ratelimitPlan) answer(now int64) *RatelimitResults {
	a := &RatelimitResults{Passed: p.passed, Requests: make([]RatelimitResult, len(p.checks))}
	for i := range p.checks {
		check := &p.checks[i]
		a.Requests[i] = RatelimitResult{
			Passed: !check.exceeded, Limit: check.Limit, Remaining: check.remaining(p.passed), Reset: windowEnd(now, check.Duration, 1),
		}
		if o := p.overrides[i]; o != nil {
			a.Requests[i].OverrideID = o.id
		}
	}
	return a
}

// peek answers no request that needs a new namespace: the caller tries again with an id for it.
func (c *ConsumeRatelimits) peek(s *State, root *rootKey, _ bool) (Result, bool) {
	p, refusal := s.planRatelimits(root, c)
	if refusal != nil && refusal.Code == IDTaken && c.creates() || refusal == nil && p.changes() {
		return nil, false
	}
	if refusal != nil {
		return refusal, true
	}
	return p.answer(s.clock), true
}
