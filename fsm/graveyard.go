package fsm

// graveyard removes what is deleted, in bounded work per entry, from ledger version 4 or 5 on [D-65]. Until then a deleted thing counts in
// the quotas of its workspace. It is in the queue in every version, so that the version can rise at once.
type graveyard struct {
	*core
	ring   *keyring
	access *access
	owners *identityStore
	queue  deadlines[grave]
}

// grave is a thing that may be deleted.
type grave interface {
	deadline() int64
	sooner(grave) bool
	slot() *int32
	// waits is whether the thing is in the queue.
	waits() *bool
	// removable reports whether the queue has something to do for the thing.
	removable() bool
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
	for n = min(n, purgedPerEntry); n > 0 && len(y.queue) > 0 && y.queue[0].since() <= y.version; n-- {
		y.queue[0].purge(y)
	}
}

// review puts a thing into the queue, or takes it out, after a change.
func (y *graveyard) review(g grave) {
	removable, waits := g.removable(), g.waits()
	switch {
	case removable && *waits:
		y.queue.fix(g) // since may have changed
	case removable:
		*waits = true
		y.queue.add(g)
	case *waits:
		y.drop(g)
	}
}

// drop takes a thing out of the queue, if it is there.
func (y *graveyard) drop(g grave) {
	if waits := g.waits(); *waits {
		*waits = false
		y.queue.remove(g)
	}
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
func (k *key) rank() int           { return 0 }
func (k *key) purge(y *graveyard)  { y.ring.removeKey(k) }

func (i *identity) deadline() int64     { return 0 }
func (i *identity) sooner(o grave) bool { return soonerGrave(i, o) }
func (i *identity) slot() *int32        { return &i.place }
func (i *identity) waits() *bool        { return &i.waiting }
func (i *identity) rank() int           { return 1 }
func (i *identity) removable() bool     { return i.deleted }

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
