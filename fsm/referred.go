package fsm

// referred counts the lists that have a permission or role.
type referred struct {
	links   int32
	place   int32 // in the graveyard
	waiting bool
	deleted bool
}

func (r *referred) gone() bool         { return r.deleted }
func (r *referred) deadline() int64    { return 0 }
func (r *referred) slot() *int32       { return &r.place }
func (r *referred) waits() *bool       { return &r.waiting }
func (r *referred) since() uint64      { return fifthRules }
func (r *referred) removable() bool    { return r.deleted && r.links == 0 }
func (p *permission) home() *workspace { return p.workspace }
func (r *role) home() *workspace       { return r.workspace }

// buriable is a permission or role.
type buriable interface {
	grave
	gone() bool
}

// refer counts the lists of a key or role that is added, or no longer counts them (-1).
func (x *access) refer(lists keyAccess, more int32) {
	for _, p := range lists.permissions {
		if p.links += more; p.deleted {
			x.recount(p, p.links, more)
		}
	}
	for _, r := range lists.roles {
		if r.links += more; r.deleted {
			x.recount(r, r.links, more)
		}
	}
}

// recount is called when the links of a deleted permission or role have changed.
func (x *access) recount(b buriable, links, more int32) {
	x.graves.review(b)
	switch {
	case links == 0 && more < 0:
		x.sweeps.uncover(b.home())
	case links == more:
		x.sweeps.cover(b.home())
	}
}

// bury is called when a permission or role has been marked as deleted.
func (x *access) bury(b buriable) {
	x.graves.review(b)
	if !b.removable() {
		x.sweeps.cover(b.home())
		x.sweeps.begin(b.home().sweep)
	}
}
