package fsm

import (
	"slices"
	"strings"
)

// graveyard removes what is deleted, in bounded work per entry, from ledger version 4 or 5 on [D-65]. Until then a deleted thing counts in
// the quotas of its workspace. It is in the queue in every version, so that the version can rise at once.
type graveyard struct {
	*core
	ring   *keyring
	access *access
	owners *identityStore
	yards  deadlines[*yard] // the one with the first grave of all in front
	turns  []*yard          // by the ids of their workspaces
}

// yard has the graves of a workspace. Each workspace has a turn from ledger version 5 on, so that nobody's deletions hold up those of others.
type yard struct {
	home  *workspace
	queue deadlines[grave]
	place int32
}

func (y *yard) deadline() int64     { return 0 }
func (y *yard) sooner(o *yard) bool { return soonerGrave(y.queue[0], o.queue[0]) }
func (y *yard) slot() *int32        { return &y.place }

// grave is a thing that may be deleted.
type grave interface {
	deadline() int64
	sooner(grave) bool
	slot() *int32
	// waits is whether the thing is in the queue.
	waits() *bool
	// removable reports whether the queue has something to do for the thing.
	removable() bool
	home() *workspace
	// since is the ledger version from which on it is removed.
	since() uint64
	// rank orders the kinds: what refers to others goes before them.
	rank() int
	listID() string
	// purge does one step: it removes or unlinks a key, or removes the thing itself.
	purge(*graveyard)
}

// purgedPerEntry is how many steps one entry takes. A step may hash 64 KiB and end 50 windows.
const purgedPerEntry = expiredPerEntry / 4

func (y *graveyard) expire(n int) {
	n = min(n, purgedPerEntry)
	if y.version >= fifthRules {
		y.expireInTurn(n)
		return
	}
	for ; n > 0 && len(y.yards) > 0 && y.yards[0].queue[0].since() <= y.version; n-- {
		y.yards[0].queue[0].purge(y)
	}
}

// expireInTurn does one step for each workspace, and again, beginning where log time says: nothing else differs from entry to entry, and nodes
// that restarted know it.
func (y *graveyard) expireInTurn(n int) {
	var round []*yard
	if all := len(y.turns); all > 0 {
		start := int(uint64(y.clock) % uint64(all))
		for i := range min(n, all) {
			round = append(round, y.turns[(start+i)%all])
		}
	}
	for i := 0; n > 0 && len(round) > 0; n-- {
		round[i].queue[0].purge(y)
		if len(round[i].queue) == 0 {
			round = slices.Delete(round, i, i+1)
		} else {
			i++
		}
		if i >= len(round) {
			i = 0
		}
	}
}

// review puts a thing into the queue, or takes it out, after a change.
func (y *graveyard) review(g grave) {
	removable, waits := g.removable(), g.waits()
	switch {
	case removable && *waits:
		of := g.home().yard
		of.queue.fix(g) // since may have changed
		y.yards.fix(of)
	case removable:
		*waits = true
		y.enter(g)
	case *waits:
		y.drop(g)
	}
}

// enter adds a grave to the yard of its workspace.
func (y *graveyard) enter(g grave) {
	home := g.home()
	if home.yard != nil {
		home.yard.queue.add(g)
		y.yards.fix(home.yard)
		return
	}
	home.yard = &yard{home: home}
	home.yard.queue.add(g)
	y.yards.add(home.yard)
	at, _ := y.turn(home.id)
	y.turns = slices.Insert(y.turns, at, home.yard)
}

// turn is where the yard of a workspace is or belongs.
func (y *graveyard) turn(id string) (at int, found bool) {
	return slices.BinarySearchFunc(y.turns, id, func(of *yard, id string) int { return strings.Compare(of.home.id, id) })
}

// drop takes a thing out of the queue, if it is there.
func (y *graveyard) drop(g grave) {
	waits := g.waits()
	if !*waits {
		return
	}
	*waits = false
	of := g.home().yard
	if len(of.queue) > 1 {
		of.queue.remove(g)
		y.yards.fix(of)
		return
	}
	y.yards.remove(of) // while it has something to compare
	of.queue.remove(g)
	of.home.yard = nil
	at, _ := y.turn(of.home.id)
	y.turns = slices.Delete(y.turns, at, at+1)
}

// soonerGrave is the order of all graves.
func soonerGrave(g, o grave) bool {
	if g.since() != o.since() {
		return g.since() < o.since()
	}
	if g.rank() != o.rank() {
		return g.rank() < o.rank()
	}
	return g.listID() < o.listID()
}

func (k *key) deadline() int64     { return 0 }
func (k *key) sooner(o grave) bool { return soonerGrave(k, o) }
func (k *key) slot() *int32        { return &k.place }
func (k *key) waits() *bool        { return &k.waiting }
func (k *key) removable() bool     { return k.deleted }
func (k *key) since() uint64       { return fourthRules }
func (k *key) home() *workspace    { return k.api.workspace }
func (k *key) rank() int           { return 0 }
func (k *key) purge(y *graveyard)  { y.ring.removeKey(k) }

func (i *identity) deadline() int64     { return 0 }
func (i *identity) sooner(o grave) bool { return soonerGrave(i, o) }
func (i *identity) slot() *int32        { return &i.place }
func (i *identity) waits() *bool        { return &i.waiting }
func (i *identity) rank() int           { return 1 }
func (i *identity) removable() bool     { return i.deleted }
func (i *identity) home() *workspace    { return i.workspace }

// since: below ledger version 5, keys that stay refer to their deleted identity for ever, because it says what they may spend.
func (i *identity) since() uint64 {
	if i.keysDeleted || i.linked == 0 || i.holdsParts() {
		return fourthRules
	}
	return fifthRules
}

// holdsParts: below ledger version 4 a deleted identity kept them.
func (i *identity) holdsParts() bool { return i.meta != "" || len(i.ratelimits) > 0 }

func (i *identity) purge(y *graveyard) {
	switch {
	case i.linked == 0:
		y.owners.removeIdentity(i)
	case i.keysDeleted:
		y.ring.removeKey(i.firstKey())
	case i.holdsParts():
		y.beforeChange(i)
		i.meta, i.ratelimits = "", nil
		y.afterChange(i)
		y.review(i)
	default: // every key that is deleted by itself is gone
		y.ring.unlink(i.firstKey())
	}
}

func (a *api) deadline() int64     { return 0 }
func (a *api) sooner(o grave) bool { return soonerGrave(a, o) }
func (a *api) slot() *int32        { return &a.place }
func (a *api) waits() *bool        { return &a.waiting }
func (a *api) removable() bool     { return a.deleted }
func (a *api) since() uint64       { return fourthRules }
func (a *api) home() *workspace    { return a.workspace }
func (a *api) rank() int           { return 2 }

// purge comes after all keys that are deleted by themselves or with their identity, so the list has all that refer to the API.
func (a *api) purge(y *graveyard) {
	if k, ok := a.keys.first(); ok {
		y.ring.removeKey(k)
		return
	}
	y.ring.removeAPI(a)
}

func (p *permission) sooner(o grave) bool { return soonerGrave(p, o) }
func (p *permission) rank() int           { return 3 }
func (p *permission) purge(y *graveyard)  { y.access.removePermission(p) }

func (r *role) sooner(o grave) bool { return soonerGrave(r, o) }
func (r *role) rank() int           { return 4 }
func (r *role) purge(y *graveyard)  { y.access.removeRole(r) }
