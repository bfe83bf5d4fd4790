package fsmtest

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// count names the tokens that one rate limit admitted in one fixed window. The reference model keeps all of them forever.
type count struct {
	whose, name      string // whose: "key key_1"
	duration, window int64
}

// check is one rate limit that a request has to pass.
type check struct {
	limit fsm.Ratelimit
	whose string
	cost  int64
}

// replaced is contract 2.0: a new list of rate limits, of which the last of a name counts; a name keeps its id.
func replaced(old, list []fsm.Ratelimit) []fsm.Ratelimit {
	var all []fsm.Ratelimit
	for _, r := range list {
		all = slices.DeleteFunc(all, func(other fsm.Ratelimit) bool { return other.Name == r.Name })
		for _, before := range old {
			if before.Name == r.Name {
				r.ID = before.ID
			}
		}
		all = append(all, r)
	}
	return all
}

// byName is how rate limits are shown.
func byName(list []fsm.Ratelimit) []fsm.Ratelimit {
	return slices.SortedFunc(slices.Values(list), func(a, b fsm.Ratelimit) int { return strings.Compare(a.Name, b.Name) })
}

func twice(list []fsm.Ratelimit) bool { return len(replaced(nil, list)) < len(list) }

func has(list []fsm.Ratelimit, name string) bool {
	return slices.ContainsFunc(list, func(r fsm.Ratelimit) bool { return r.Name == name })
}

// visible is contract 3.7: the rate limits of an identity that the key does not shadow.
func visible(identity, key []fsm.Ratelimit) []fsm.Ratelimit {
	var all []fsm.Ratelimit
	for _, r := range byName(identity) {
		if !has(key, r.Name) {
			all = append(all, r)
		}
	}
	return all
}

// Durations that count at most [D-35], in ms.
const (
	longest      = 366 * 86_400_000
	longestAdHoc = 30 * 86_400_000
)

func (t *Model) counted(duration, most int64) int64 {
	if t.version < ThirdRules {
		return duration
	}
	return min(duration, most)
}

// forget drops the counts of the rate limits of something that is deleted.
func (t *Model) forget(whose string, limits []fsm.Ratelimit) {
	if t.version < ThirdRules {
		return
	}
	for _, r := range limits {
		for c := range t.counts {
			if c.whose == whose && c.name == r.Name && c.duration == t.counted(r.Duration, longest) {
				delete(t.counts, c)
			}
		}
	}
}

// checksOf is contract 3.6: the rate limits that a verification must pass. The key's own come first, then the identity's, then the others
// in the order of the request. missing: a named one does not exist.
func (t *Model) checksOf(k *key, c *fsm.VerifyKey) (all []check, missing bool) {
	asked := map[string]fsm.RatelimitCheck{}
	for _, r := range c.Ratelimits {
		asked[r.Name] = r
	}
	candidate := func(r fsm.Ratelimit, whose string) {
		ask, named := asked[r.Name]
		if ask.AdHoc {
			return
		}
		if !named {
			ask.Cost = 1
		}
		if r.Duration = t.counted(r.Duration, longest); named || r.AutoApply {
			all = append(all, check{r, whose, ask.Cost})
		}
	}
	for _, r := range byName(k.limits) {
		candidate(r, "key "+k.id)
	}
	var shared []fsm.Ratelimit
	if i := t.identityOf(k); i != nil {
		shared = i.limits
		for _, r := range visible(shared, k.limits) {
			candidate(r, "identity "+i.id)
		}
	}
	for at, r := range c.Ratelimits {
		later := slices.ContainsFunc(c.Ratelimits[at+1:], func(o fsm.RatelimitCheck) bool { return o.Name == r.Name })
		switch {
		case later:
		case r.AdHoc:
			all = append(all, check{fsm.Ratelimit{Name: r.Name, Limit: r.Limit, Duration: t.counted(r.Duration, longestAdHoc)}, "key " + k.id, r.Cost})
		case !has(k.limits, r.Name) && !has(shared, r.Name):
			missing = true
		}
	}
	return all, missing
}

// used is contract 2.6: the count of the present fixed window, and of the one before as much as the sliding window still covers.
func (t *Model) used(whose, name string, duration int64) int64 {
	window := t.now / duration
	share := big.NewInt(t.counts[count{whose, name, duration, window - 1}])
	share.Mul(share, big.NewInt((window+1)*duration-t.now))
	share.Quo(share, big.NewInt(duration))
	return t.counts[count{whose, name, duration, window}] + share.Int64()
}

// passes decides about one check after the used tokens.
func passes(limit, used, cost int64) bool {
	sum := new(big.Int).Add(big.NewInt(used), big.NewInt(cost))
	return limit > 0 && sum.Cmp(big.NewInt(limit)) <= 0
}

// checkAll takes the tokens of all checks or of none.
func (t *Model) checkAll(checks []check) (states []fsm.RatelimitState, passed bool) {
	passed = true
	for _, c := range checks {
		used := t.used(c.whose, c.limit.Name, c.limit.Duration)
		state := fsm.RatelimitState{Ratelimit: c.limit, Remaining: max(0, c.limit.Limit-used), Reset: reset(t.now, c.limit.Duration)}
		if !passes(c.limit.Limit, used, c.cost) {
			state.Remaining, state.Exceeded, passed = 0, true, false
		}
		states = append(states, state)
	}
	if !passed {
		return states, false
	}
	for i, c := range checks {
		states[i].Remaining -= c.cost
		t.counts[count{c.whose, c.limit.Name, c.limit.Duration, t.now / c.limit.Duration}] += c.cost
	}
	return states, true
}

func reset(now, duration int64) int64 {
	end := new(big.Int).Mul(big.NewInt(now/duration+1), big.NewInt(duration))
	if !end.IsInt64() {
		return math.MaxInt64
	}
	return end.Int64()
}
