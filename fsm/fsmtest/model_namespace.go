package fsmtest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// namespace is contract 2.6. No command of the reference model deletes one.
type namespace struct {
	id, name, workspace string
	createdAt           int64
	overrides           []override
}

type override struct {
	fsm.Override
	createdAt int64
}

// searches finds a pattern with a text between two *.
var searches = regexp.MustCompile(`(?s)\*[^*]+\*`)

// findNamespace tries an id, then a name.
func (t *Model) findNamespace(root *rootKey, ref string) *namespace {
	for _, by := range []func(*namespace) string{
		func(n *namespace) string { return n.id }, func(n *namespace) string { return n.name },
	} {
		for _, n := range t.namespaces {
			if by(n) == ref && n.workspace == root.workspace {
				return n
			}
		}
	}
	return nil
}

// override is the one that holds for an identifier: contract 2.6. Longer patterns go first.
func (n *namespace) override(identifier string) *override {
	if o := n.literal(identifier); o != nil {
		return o
	}
	byLength := slices.Clone(n.overrides)
	slices.SortFunc(byLength, func(a, b override) int {
		if d := len(b.Identifier) - len(a.Identifier); d != 0 {
			return d
		}
		return strings.Compare(a.Identifier, b.Identifier)
	})
	for _, o := range byLength {
		form := strings.ReplaceAll(regexp.QuoteMeta(o.Identifier), `\*`, `(?s:.*)`)
		if strings.Contains(o.Identifier, "*") && regexp.MustCompile(`\A`+form+`\z`).MatchString(identifier) {
			return &o
		}
	}
	return nil
}

// literal is the override of exactly this identifier.
func (n *namespace) literal(identifier string) *override {
	for i := range n.overrides {
		if n.overrides[i].Identifier == identifier {
			return &n.overrides[i]
		}
	}
	return nil
}

// patterns counts the overrides with a *.
func (n *namespace) patterns() (count int) {
	for _, o := range n.overrides {
		count += min(1, strings.Count(o.Identifier, "*"))
	}
	return count
}

// consumeRatelimits is contract 2.6. It makes namespaces on a copy, so that a refusal leaves nothing behind.
func (t *Model) consumeRatelimits(root *rootKey, c *fsm.ConsumeRatelimits) fsm.Result {
	before := slices.Clone(t.namespaces)
	var checks []check
	var overrides []string
	compared := 0
	for i, r := range c.Requests {
		n, refused := t.ratelimitNamespace(root, r)
		if refused != nil {
			t.namespaces = before
			return refused
		}
		for _, o := range n.overrides {
			if searches.MatchString(o.Identifier) {
				compared += len(r.Identifier)
			}
		}
		if t.version >= ThirdRules && i > 0 && compared > 1<<20 {
			t.namespaces = before
			return refusal(fsm.InvalidInput)
		}
		limit, id := fsm.Ratelimit{Name: r.Identifier, Limit: r.Limit, Duration: t.counted(r.Duration, longestAdHoc)}, ""
		if o := n.override(r.Identifier); o != nil {
			limit.Limit, limit.Duration, id = o.Limit, t.counted(o.Duration, longest), o.ID
		}
		checks = append(checks, check{limit, "namespace " + n.id, r.Cost})
		overrides = append(overrides, id)
	}
	made := t.namespaces
	t.namespaces = before
	if r := t.room(root, fsm.Usage{fsm.NamespacesQuota: int64(len(made) - len(before))}); r != nil {
		return r
	}
	t.namespaces = made
	return t.takeAll(checks, overrides)
}

func (t *Model) ratelimitNamespace(root *rootKey, r fsm.RatelimitRequest) (*namespace, fsm.Result) {
	n := t.findNamespace(root, r.Namespace)
	if n != nil {
		// A namespace that an earlier request of the same call makes has passed the check for all already.
		return n, need(root, either("ratelimit", n.id, "limit")...)
	}
	for _, p := range []string{"ratelimit.*.create_namespace", "ratelimit.*.limit"} {
		if refused := need(root, p); refused != nil {
			return nil, refused
		}
	}
	if r.NamespaceID == "" || slices.ContainsFunc(t.namespaces, func(n *namespace) bool { return n.id == r.NamespaceID }) {
		return nil, refusal(fsm.IDTaken)
	}
	n = &namespace{id: r.NamespaceID, name: r.Namespace, workspace: root.workspace, createdAt: t.now}
	t.namespaces = append(t.namespaces, n)
	return n, nil
}

// takeAll counts the requests one after the other, and takes everything back if one is denied.
func (t *Model) takeAll(checks []check, overrides []string) fsm.Result {
	answer := &fsm.RatelimitResults{Passed: true, Requests: []fsm.RatelimitResult{}}
	before := map[count]int64{}
	name := func(c check) count { return count{c.whose, c.limit.Name, c.limit.Duration, t.now / c.limit.Duration} }
	for _, c := range checks {
		before[name(c)] = t.counts[name(c)]
	}
	for i, c := range checks {
		used := t.used(c.whose, c.limit.Name, c.limit.Duration)
		r := fsm.RatelimitResult{
			Passed: passes(c.limit.Limit, used, c.cost), Limit: c.limit.Limit, Reset: reset(t.now, c.limit.Duration), OverrideID: overrides[i],
		}
		if r.Passed {
			r.Remaining = c.limit.Limit - used - c.cost
			t.counts[name(c)] += c.cost
		}
		answer.Passed = answer.Passed && r.Passed
		answer.Requests = append(answer.Requests, r)
	}
	if answer.Passed {
		return answer
	}
	for n, v := range before {
		t.counts[n] = v
	}
	for i, c := range checks {
		if r := &answer.Requests[i]; r.Passed {
			r.Remaining = max(0, c.limit.Limit-t.used(c.whose, c.limit.Name, c.limit.Duration))
		}
	}
	return answer
}

func (t *Model) setOverride(root *rootKey, c *fsm.SetOverride) fsm.Result {
	n := t.findNamespace(root, c.Namespace)
	if n == nil {
		return refusal(fsm.RatelimitNamespaceNotFound)
	}
	if r := need(root, either("ratelimit", n.id, "set_override")...); r != nil {
		return r
	}
	if o := n.literal(c.Identifier); o != nil {
		o.Limit, o.Duration = c.Limit, c.Duration
		return &fsm.Created{ID: o.ID}
	}
	if t.version >= ThirdRules && strings.Contains(c.Identifier, "*") && n.patterns() >= 100 {
		return refusal(fsm.InvalidInput)
	}
	for _, other := range t.namespaces {
		if slices.ContainsFunc(other.overrides, func(o override) bool { return o.ID == c.ID }) {
			return refusal(fsm.IDTaken)
		}
	}
	if r := t.room(root, fsm.Usage{fsm.OverridesQuota: 1}); r != nil {
		return r
	}
	n.overrides = append(n.overrides, override{fsm.Override{ID: c.ID, Identifier: c.Identifier, Limit: c.Limit, Duration: c.Duration}, t.now})
	return &fsm.Created{ID: c.ID}
}

func (t *Model) deleteOverride(root *rootKey, c *fsm.DeleteOverride) fsm.Result {
	n := t.findNamespace(root, c.Namespace)
	if n == nil {
		return refusal(fsm.RatelimitNamespaceNotFound)
	}
	if r := need(root, either("ratelimit", n.id, "delete_override")...); r != nil {
		return r
	}
	if n.literal(c.Identifier) == nil {
		return refusal(fsm.RatelimitOverrideNotFound)
	}
	n.overrides = slices.DeleteFunc(n.overrides, func(o override) bool { return o.Identifier == c.Identifier })
	return &fsm.Done{}
}

// getOverride is contract 2.6 and 1.13: without the permission it looks as if there were none.
func (t *Model) getOverride(root *rootKey, q *fsm.GetOverride) fsm.Result {
	n := t.findNamespace(root, q.Namespace)
	if n == nil {
		return refusal(fsm.RatelimitNamespaceNotFound)
	}
	o := n.override(q.Identifier)
	if o == nil || need(root, either("ratelimit", n.id, "read_override")...) != nil {
		return refusal(fsm.RatelimitOverrideNotFound)
	}
	shown := o.Override
	return &shown
}

// listOverrides is contract 1.14: the cursor is the first id of the page.
func (t *Model) listOverrides(root *rootKey, q *fsm.ListOverrides) fsm.Result {
	n := t.findNamespace(root, q.Namespace)
	if n == nil {
		return refusal(fsm.RatelimitNamespaceNotFound)
	}
	if r := need(root, either("ratelimit", n.id, "read_override")...); r != nil {
		return r
	}
	page := &fsm.Overrides{}
	sorted := slices.SortedFunc(slices.Values(n.overrides), func(a, b override) int { return strings.Compare(a.ID, b.ID) })
	for _, o := range sorted {
		switch {
		case o.ID < q.Cursor:
		case int64(len(page.List)) < q.Limit:
			page.List = append(page.List, o.Override)
		case page.Next == "":
			page.Next = o.ID
		}
	}
	return page
}
