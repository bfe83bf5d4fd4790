package fsmtest

import (
	"cmp"
	"slices"
	"strings"
)

// leftover are the deleted permissions and roles that the record of a key or role still has. Nobody sees them; they count in the quotas.
type leftover struct{ permissions, roles []string }

// sweep is how far [D-104] has come in a workspace.
type sweep struct {
	workspace string
	since     int64
	keys      bool
	api, next string
}

// heldBy counts the records that have a deleted permission or role.
func (t *Model) heldBy(id string) (n int) {
	for _, r := range t.roles {
		n += times(r.left.permissions, id)
	}
	for _, k := range t.keys {
		n += times(k.left.permissions, id) + times(k.left.roles, id)
	}
	return n
}

func times(list []string, id string) int {
	if slices.Contains(list, id) {
		return 1
	}
	return 0
}

// moveTo takes an id from a list to the leftovers.
func moveTo(left *[]string, list *[]string, id string) {
	if slices.Contains(*list, id) {
		*list, *left = without(*list, id), append(slices.Clone(*left), id)
	}
}

// buried reports whether records of a workspace have something that is deleted.
func (t *Model) buried(workspace string) bool {
	held := func(left leftover) bool {
		for _, id := range slices.Concat(left.permissions, left.roles) {
			if t.givenIn[id] == workspace {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(t.roles, func(r *role) bool { return held(r.left) }) || slices.ContainsFunc(t.keys, func(k *key) bool { return held(k.left) })
}

// endSweeps ends those that have nothing to do.
func (t *Model) endSweeps() {
	t.sweeps = slices.DeleteFunc(t.sweeps, func(sw *sweep) bool { return !t.buried(sw.workspace) })
}

// bury is called when a permission or role has been deleted. From ledger version 5 on, one that no record has is forgotten.
func (t *Model) bury(ids *[]string, id string) {
	if t.version < FifthRules {
		return
	}
	if t.heldBy(id) == 0 {
		*ids = without(*ids, id)
		return
	}
	t.sweepOf(t.givenIn[id])
}

// sweepOf begins the sweep of a workspace, unless it is under way.
func (t *Model) sweepOf(workspace string) *sweep {
	sw := first(t.sweeps, func(sw *sweep) bool { return sw.workspace == workspace })
	if sw == nil {
		sw = &sweep{workspace: workspace, since: t.now}
		t.sweeps = append(t.sweeps, sw)
	}
	return sw
}

// sweepAll is what an entry does for the sweeps: 4096 units of work, first for those that waited longest.
func (t *Model) sweepAll() {
	if t.version < FifthRules {
		return
	}
	t.endSweeps()
	var waiting []sweep
	for _, w := range t.workspaces {
		sw := first(t.sweeps, func(sw *sweep) bool { return sw.workspace == w.id })
		switch {
		case sw != nil && sw.since < t.now:
			waiting = append(waiting, *sw)
		case sw == nil && t.buried(w.id): // from before ledger version 5
			waiting = append(waiting, sweep{workspace: w.id})
		}
	}
	slices.SortFunc(waiting, func(a, b sweep) int {
		return cmp.Or(cmp.Compare(a.since, b.since), strings.Compare(a.workspace, b.workspace))
	})
	budget := 4096
	for _, w := range waiting {
		if budget > 0 {
			t.advanceSweep(t.sweepOf(w.workspace), &budget)
		}
	}
	t.endSweeps()
}

func (t *Model) advanceSweep(sw *sweep, budget *int) {
	sw.since = t.now
	*budget -= 64
	clean := func(own int, left *leftover) {
		if *budget -= 4 + own + len(left.permissions) + len(left.roles); len(left.permissions)+len(left.roles) > 0 {
			*budget -= 64
		}
		*left = leftover{}
	}
	over := func() bool { return *budget <= 0 || !t.buried(sw.workspace) }
	roles := slices.SortedFunc(slices.Values(t.roles), func(a, b *role) int { return strings.Compare(a.id, b.id) })
	for _, r := range roles {
		if sw.keys || r.workspace != sw.workspace || r.id < sw.next {
			continue
		}
		if over() {
			sw.next = r.id
			return
		}
		clean(len(r.permissions), &r.left)
	}
	if !sw.keys {
		sw.keys, sw.next = true, ""
	}
	byID := func(a, b *key) int { return strings.Compare(a.id, b.id) }
	for !over() {
		a := least(t.apis, func(a *api) bool { return a.workspace == sw.workspace && !a.deleted && a.id >= sw.api }, func(a, b *api) int { return strings.Compare(a.id, b.id) })
		if a == nil {
			*sw = sweep{workspace: sw.workspace, since: sw.since}
			return
		}
		*budget -= 4
		if a.id != sw.api {
			sw.api, sw.next = a.id, ""
		}
		for {
			k := least(t.keys, func(k *key) bool { return k.api == a.id && !k.deleted && k.id >= sw.next }, byID)
			if k == nil {
				sw.api, sw.next = sw.api+"\x00", ""
				break
			}
			if sw.next = k.id; over() {
				return
			}
			clean(len(k.permissions)+len(k.roles), &k.left)
			sw.next += "\x00"
		}
	}
}
