package fsm

import (
	"fmt"
	"math"
)

// What a key and a role can have, from ledger version 3 on [D-33]. Those that have more from before keep it, and cannot grow.
const (
	maxKeyPermissions  = 1000 // direct ones
	maxKeyRoles        = 100
	maxRolePermissions = 1000
	// maxLinks bounds the lists of a key and its roles together. A role may grow after it was given, so it also bounds what answers show.
	maxLinks = 5000
)

// boundKey refuses permissions and roles beyond the limits, unless the key has at least as many already.
func (x *access) boundKey(had, given keyAccess) *Refusal {
	if x.version < thirdRules {
		return nil
	}
	if over(given.permissions, had.permissions, maxKeyPermissions, (*permission).gone) {
		return tooMany("permissions: the key would have %d, at most %d are allowed", len(given.permissions), maxKeyPermissions)
	}
	if over(given.roles, had.roles, maxKeyRoles, (*role).gone) {
		return tooMany("roles: the key would have %d, at most %d are allowed", len(given.roles), maxKeyRoles)
	}
	if n := given.held(); n > maxLinks && n > had.held() {
		return tooMany("the permissions of the key and of its roles would be %d together, at most %d are allowed", n, maxLinks)
	}
	return nil
}

// boundRole does the same for the permissions of a role.
func (x *access) boundRole(had, given []*permission) *Refusal {
	if x.version < thirdRules || !over(given, had, maxRolePermissions, (*permission).gone) {
		return nil
	}
	return tooMany("permissions: the role would have %d, at most %d are allowed", len(given), maxRolePermissions)
}

func tooMany(detail string, n, most int) *Refusal { return invalid(fmt.Sprintf(detail, n, most)) }

// over reports whether a list is longer than allowed and than the one before, of which some may be deleted.
func over[T any](list, had []T, most int, gone func(T) bool) bool {
	if len(list) <= most {
		return false
	}
	live := 0
	for _, item := range had {
		if !gone(item) {
			live++
		}
	}
	return len(list) > live
}

// shownLinks is how many permissions of a key and its roles an answer gathers.
func (c *core) shownLinks() int {
	if c.version < thirdRules {
		return math.MaxInt
	}
	return maxLinks
}

// holds reports whether a permission with exactly this slug is among the lists. It costs one search per list.
func (x *access) holds(w *workspace, a keyAccess, slug string) bool {
	p := x.permissionSlugs[foldedName{w.id, foldCase(slug)}]
	if p == nil || p.slug != slug {
		return false
	}
	if hasPermission(a.permissions, p) {
		return true
	}
	for _, r := range a.roles {
		if r.has(p) {
			return true
		}
	}
	return false
}
