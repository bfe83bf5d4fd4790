package fsmtest

import (
	"fmt"
	"math"
	"slices"

	"github.com/creditd/creditd/fsm"
)

// limitName is one of few, so that keys and identities have the same ones.
func (g *Generator) limitName() string { return pick(g, "requests", "tokens", "a/b", "ü") }

// duration is mostly in the order of the steps that time makes.
func (g *Generator) duration() int64 {
	return pick[int64](g, 1000, 1500, 7000, 60_000, 60_000, 3_600_000, 2_592_000_000, math.MaxInt64)
}

func (g *Generator) limit() int64 {
	if g.chance(95) {
		return 1 + g.rng.Int64N(6)
	}
	return pick[int64](g, 1000, math.MaxInt64-1, math.MaxInt64)
}

// limits are rate limits for a key or an identity; repeat: names may repeat.
func (g *Generator) limits(repeat bool) []fsm.Ratelimit {
	if g.chance(50) {
		return nil
	}
	var list []fsm.Ratelimit
	for range 1 + g.rng.IntN(3) {
		g.ratelimits++
		r := fsm.Ratelimit{
			ID: fmt.Sprintf("rl_%d", g.ratelimits), Name: g.limitName(), Limit: g.limit(), Duration: g.duration(), AutoApply: g.chance(60),
		}
		if repeat || !has(list, r.Name) {
			list = append(list, r)
		}
	}
	return list
}

// checks are what a verification asks of rate limits: mostly nothing.
func (g *Generator) checks() []fsm.RatelimitCheck {
	if g.chance(70) {
		return nil
	}
	var list []fsm.RatelimitCheck
	for range 1 + g.rng.IntN(2) {
		c := fsm.RatelimitCheck{Name: g.limitName(), Cost: pick[int64](g, 0, 1, 1, 1, 2, 5)}
		if g.chance(3) {
			c.Cost = math.MaxInt64
		}
		if g.chance(50) {
			c.AdHoc, c.Limit, c.Duration = true, g.limit()-g.rng.Int64N(2), g.duration()-pick[int64](g, 0, 0, 0, 0, 1)
		}
		list = append(list, c)
	}
	return list
}

// namespaceNames has a name that is also an id.
var namespaceNames = []string{"email", "e mail ✓", "rlns_2"}

var identifiers = []string{"a", "ab", "abc", "b", "a*", "*", "*b*", "a*c", "**", "é\n"}

func (g *Generator) namespace() string {
	if g.chance(70) {
		return pick(g, namespaceNames...)
	}
	return fmt.Sprintf("rlns_%d", g.rng.IntN(g.namespaces+2))
}

// limitCommand is a command of contract 2.6.
func (g *Generator) limitCommand() fsm.Command {
	switch n := g.rng.IntN(100); {
	case n < 75:
		c := &fsm.ConsumeRatelimits{}
		for range pick(g, 1, 1, 1, 2, 3) {
			c.Requests = append(c.Requests, fsm.RatelimitRequest{
				Namespace: g.namespace(), NamespaceID: fmt.Sprintf("rlns_%d", g.fresh(&g.namespaces, math.MaxInt)),
				Identifier: pick(g, identifiers...), Limit: g.limit(), Duration: g.duration(), Cost: pick[int64](g, 0, 1, 1, 1, 2, 5, math.MaxInt64),
			})
		}
		if g.chance(40) { // as it is sent first
			for i := range c.Requests {
				c.Requests[i].NamespaceID = ""
			}
		}
		for i, r := range c.Requests { // nobody knows an id before it is given
			if slices.ContainsFunc(c.Requests, func(o fsm.RatelimitRequest) bool { return o.NamespaceID == r.Namespace }) {
				c.Requests[i].Namespace = "email"
			}
		}
		return c
	case n < 92:
		g.overrides++
		return &fsm.SetOverride{
			ID: fmt.Sprintf("rlor_%d", g.overrides-g.rng.IntN(2)), Namespace: g.namespace(), Identifier: pick(g, identifiers...),
			Limit: g.limit() - 1, Duration: g.duration(),
		}
	default:
		return &fsm.DeleteOverride{Namespace: g.namespace(), Identifier: pick(g, identifiers...)}
	}
}

func (g *Generator) overrideQuery() fsm.Query {
	if g.chance(60) {
		return &fsm.GetOverride{Namespace: g.namespace(), Identifier: pick(g, identifiers...)}
	}
	return &fsm.ListOverrides{
		Namespace: g.namespace(), Cursor: pick(g, "", "", "rlor_2", "rlor_3x"), Limit: pick[int64](g, 1, 2, 100),
	}
}
