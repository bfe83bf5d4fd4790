package fsm

import (
	"slices"
	"strings"
)

// Ratelimit is a rate limit that a key or an identity is given, as a caller states it and as a record keeps it. See contract 2.0.
type Ratelimit struct {
	ID        string // of a new one; a name that is there already keeps its id
	Name      string
	Limit     int64 // at least 1
	Duration  int64 // ms, at least 1000
	AutoApply bool  // checked by every verification, asked for or not
}

// checkRatelimits states the rules of contract 2.0 and returns the list as it will be kept: by name, each once, with the id that
// the name had among the old ones. Of a repeated name the last one counts.
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

// ratelimitNamed finds a rate limit in a kept list; nil: there is none.
func ratelimitNamed(list []Ratelimit, name string) *Ratelimit {
	if at, found := slices.BinarySearchFunc(list, name, compareName); found {
		return &list[at]
	}
	return nil
}

// ratelimits are the key's own ones, by name.
func (k *key) ratelimits() []Ratelimit {
	if k.details == nil {
		return nil
	}
	return k.details.ratelimits
}

// keptRatelimits reports whether a list is one that the rules let in.
func keptRatelimits(list []Ratelimit) bool {
	for i, r := range list {
		if r.Limit < 1 || r.Duration < minDuration || i > 0 && list[i-1].Name >= r.Name {
			return false
		}
	}
	return true
}

func foldRatelimits(h *hasher, list []Ratelimit) {
	h.int(int64(len(list)))
	for i := range list {
		h.string(list[i].ID)
		h.string(list[i].Name)
		h.int(list[i].Limit)
		h.int(list[i].Duration)
		h.bool(list[i].AutoApply)
	}
}

// replaceRatelimits returns what the list of an identity becomes, without changing it.
func (i *identity) replaceRatelimits(f Field[[]Ratelimit]) ([]Ratelimit, *Refusal) {
	if f.State == Absent {
		return i.ratelimits, nil
	}
	if refusal := uniqueRatelimits(f.Value); refusal != nil {
		return nil, refusal
	}
	return checkRatelimits(f.Value, i.ratelimits)
}
