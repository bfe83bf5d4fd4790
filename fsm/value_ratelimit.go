package fsm

import (
	"slices"
	"strings"

	"github.com/creditd/creditd/fsm/fields"
)

// Ratelimit is a rate limit of a key or an identity. See contract 2.0.
type Ratelimit struct {
	ID        string // for a new one; an existing name keeps its id
	Name      string
	Limit     int64 // at least 1
	Duration  int64 // ms, at least 1000
	AutoApply bool  // every verification checks it, requested or not
}

func (r *Ratelimit) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.Int(&r.Limit)
	v.Int(&r.Duration)
	v.Bool(&r.AutoApply)
}

func visitRatelimits(p *[]Ratelimit, v *fields.Visitor) {
	for i := range fields.Count(v, p) {
		if r := fields.At(v, p, i); r != nil {
			r.fields(v)
		}
	}
}

// minDuration is the shortest duration, in ms. It is not 0, so code may divide by a duration.
const minDuration = 1000

// checkRatelimits validates a list and returns it as it will be stored: by name, the last one of each name, with the id that the name had
// among the old ones. See contract 2.0.
func checkRatelimits(list, old []Ratelimit) ([]Ratelimit, *Refusal) {
	var kept []Ratelimit
	for _, r := range list {
		if r.Limit < 1 || r.Duration < minDuration {
			return nil, invalid("ratelimits: the limit of '" + r.Name + "' must be at least 1 and its duration at least 1000")
		}
		at, found := slices.BinarySearchFunc(kept, r.Name, compareName)
		if !found {
			kept = slices.Insert(kept, at, r)
		}
		if before := ratelimitNamed(old, r.Name); before != nil {
			r.ID = before.ID
		}
		kept[at] = r
	}
	return kept, nil
}

// uniqueRatelimits refuses a repeated name: contract 2.4, identities.updateIdentity.
func uniqueRatelimits(list []Ratelimit) *Refusal {
	seen := make(map[string]bool, len(list))
	for _, r := range list {
		if seen[r.Name] {
			return invalid("ratelimits: the name '" + r.Name + "' is there more than once")
		}
		seen[r.Name] = true
	}
	return nil
}

func compareName(r Ratelimit, name string) int { return strings.Compare(r.Name, name) }

// ratelimitNamed finds a rate limit in a stored list; nil: there is none.
func ratelimitNamed(list []Ratelimit, name string) *Ratelimit {
	if at, found := slices.BinarySearchFunc(list, name, compareName); found {
		return &list[at]
	}
	return nil
}

// keptRatelimits reports whether a stored list is valid.
func keptRatelimits(list []Ratelimit) bool {
	for i, r := range list {
		if r.Limit < 1 || r.Duration < minDuration || i > 0 && list[i-1].Name >= r.Name {
			return false
		}
	}
	return true
}
