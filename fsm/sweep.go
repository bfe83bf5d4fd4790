package fsm

import "strings"

// sweeper takes deleted permissions and roles out of the lists of roles and keys, from ledger version 5 on [D-104]. Nobody knows which lists
// have them, so it looks through those of the workspace, some with each entry. Every workspace with work is in the queue in each version.
type sweeper struct {
	*core
	ring   *keyring
	access *access
	queue  deadlines[*sweep]
}

// sweep is how far the sweeper has come in a workspace. It lasts while something refers to a deleted permission or role.
type sweep struct {
	entityHeader
	workspace *workspace
	at        sweepPosition
	since     int64 // log time of the last step, or of the beginning; 0: it waits for ledger version 5
	saved     bool  // it has a record; without one it begins at the first role
	place     int32 // in the queue
}

// sweepPosition is what comes next: the first role or key whose id is not below next.
type sweepPosition struct {
	keys bool // the roles are done
	api  string
	next string
}

// The work that one entry does for sweeps: looking at a list costs sweepLook and one for each link, writing it again sweepWrite. An
// API costs sweepLook even without keys, and a sweep sweepWrite even if it finds nothing: there may be any number of them.
const (
	sweepBudget = 4096
	sweepLook   = 4
	sweepWrite  = 64
)

// cover counts one more deleted thing to which something refers.
func (w *sweeper) cover(home *workspace) {
	if home.buried++; home.sweep == nil {
		home.sweep = &sweep{workspace: home}
		w.queue.add(home.sweep)
	}
}

// begin gives a sweep its record.
func (w *sweeper) begin(sw *sweep) {
	if w.version >= fifthRules && !sw.saved {
		sw.saved, sw.since = true, w.clock
		w.add(sw)
		w.queue.fix(sw)
	}
}

// uncover counts one less, and ends the sweep after the last.
func (w *sweeper) uncover(home *workspace) {
	if home.buried--; home.buried > 0 {
		return
	}
	sw := home.sweep
	home.sweep = nil
	w.queue.remove(sw)
	if sw.saved {
		w.remove(sw)
	}
}

// expire does the work of one entry. The workspace that has waited longest comes first, and each comes once.
func (w *sweeper) expire(int) {
	if w.version < fifthRules {
		return
	}
	for budget := sweepBudget; budget > 0 && len(w.queue) > 0 && w.queue[0].since < w.clock; {
		budget = w.advance(w.queue[0], budget)
	}
}

// advance goes on with a sweep until the budget is used up, nothing is left, or all lists were looked at: those that are left then go with
// their keys, which the graveyard removes.
func (w *sweeper) advance(sw *sweep, budget int) (left int) {
	w.begin(sw)
	budget -= sweepWrite
	home, at := sw.workspace, sw.at
	if !at.keys {
		at.next, budget = w.sweepRoles(home, at.next, budget)
		if at.next == "" {
			at.keys = true
		}
	}
	for at.keys && budget > 0 && home.buried > 0 {
		a := home.apiFrom(at.api)
		if a == nil {
			at = sweepPosition{}
			break
		}
		budget -= sweepLook
		if a.id != at.api {
			at.api, at.next = a.id, ""
		}
		if at.next, budget = w.sweepKeys(a, at.next, budget); at.next == "" {
			at.api += "\x00" // the least id above it
		}
	}
	if home.buried > 0 {
		w.beforeChange(sw)
		sw.at, sw.since = at, w.clock
		w.afterChange(sw)
		w.queue.fix(sw)
	}
	return budget
}

// apiFrom finds the first API whose id is not below id.
func (w *workspace) apiFrom(id string) (found *api) {
	w.apis.from(id, func(a *api) bool {
		found = a
		return false
	})
	return found
}

// sweepRoles looks at roles until the budget is used up. It returns the id of the next one; empty: there is none.
func (w *sweeper) sweepRoles(home *workspace, from string, budget int) (next string, left int) {
	home.roles.from(from, func(r *role) bool {
		if budget <= 0 || home.buried == 0 {
			next = r.id
			return false
		}
		budget -= sweepLook + len(r.permissions)
		if r.hides() {
			budget -= sweepWrite
			w.beforeChange(r)
			w.access.giveRole(r, keyAccess{permissions: r.permissions}.live().permissions)
			w.afterChange(r)
		}
		return true
	})
	return next, budget
}

// sweepKeys does the same with the keys of an API.
func (w *sweeper) sweepKeys(a *api, from string, budget int) (next string, left int) {
	a.keys.from(from, func(k *key) bool {
		if budget <= 0 || a.workspace.buried == 0 {
			next = k.id
			return false
		}
		given := k.access()
		budget -= sweepLook + len(given.permissions) + len(given.roles)
		if given.hides() {
			budget -= sweepWrite
			w.beforeChange(k)
			w.ring.exchange(k, given.live())
			w.afterChange(k)
		}
		return true
	})
	return next, budget
}

func (sw *sweep) deadline() int64 { return 0 }

func (sw *sweep) slot() *int32 { return &sw.place }

func (sw *sweep) sooner(o *sweep) bool {
	if sw.since != o.since {
		return sw.since < o.since
	}
	return strings.Compare(sw.workspace.id, o.workspace.id) < 0
}

func (sw *sweep) key() RecordKey { return RecordKey{SweepKind, sw.workspace.id} }

func (sw *sweep) record() Record {
	return &SweepRecord{WorkspaceID: sw.workspace.id, Since: sw.since, Keys: sw.at.keys, APIID: sw.at.api, Next: sw.at.next}
}

func (sw *sweep) digest() Digest { return digestOf(sw.record()) }

func (*sweep) resource() AuditResource { return AuditResource{} }

// loadSweep comes after the keys and roles, which have made the sweep.
func (w *sweeper) loadSweep(r *SweepRecord) bool {
	home := w.ring.tenants.workspaces[r.WorkspaceID]
	if home == nil || home.sweep == nil || home.sweep.saved {
		return false
	}
	sw := home.sweep
	sw.saved, sw.since, sw.at = true, r.Since, sweepPosition{r.Keys, r.APIID, r.Next}
	w.add(sw)
	w.queue.fix(sw)
	return true
}
