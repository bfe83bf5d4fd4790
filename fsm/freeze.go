package fsm

import "slices"

// entityHeader is what every entity stores for snapshots.
type entityHeader struct {
	// gen is the generation of the last change. The tracker's generation means dirty; that of a Frozen means frozen but not captured; any
	// other means clean. So a freeze does not touch every entity.
	gen     uint32
	removed bool // removed permanently
}

func (h *entityHeader) header() *entityHeader { return h }

// entity is a record in memory. key is its name. record returns a copy, or nil if the record is not present.
type entity interface {
	header() *entityHeader
	key() RecordKey
	record() Record
	digest() Digest
	// resource is how audit entries name it; zero: not at all.
	resource() AuditResource
}

// sparing is an entity whose record may use the memory of an earlier one. Those of which there may be millions are.
type sparing interface{ recordIn(*spares) Record }

// spares are records that nobody needs any more, from next on.
type spares struct {
	list []Change
	next int
}

// sparesTried is how many spares are looked at for one of a type. Those that are passed are lost, and then the next ones mostly fit.
const sparesTried = 8

// takeSpare returns a spare of a type, as it is, or else a new record.
func takeSpare[T any](s *spares) *T {
	if s == nil {
		return new(T)
	}
	for at := s.next; at < min(len(s.list), s.next+sparesTried); at++ {
		if r, ok := any(s.list[at].Record).(*T); ok {
			s.next = at + 1
			return r
		}
	}
	return new(T)
}

// clean is the generation of an entity that is on disk unchanged.
const clean uint32 = 0

// tracker keeps the list of records that changed since the last snapshot, and the digest.
type tracker struct {
	gen       uint32   // the present generation; never clean
	dirty     []entity // the records that changed in the present generation
	removed   []entity // those of them that were removed permanently
	frozen    *Frozen
	sum       Digest          // of all records except the meta record
	collector *auditCollector // of the audited command under way; nil: none
	loading   *loading        // while a snapshot is loaded; nil afterwards
}

// loading is what a State has while a snapshot is loaded into it.
type loading struct {
	added       []entity // is on disk already, and waits to be part of the digest
	outstanding uint64   // sum of the balances
}

// add registers a new entity.
func (t *tracker) add(n entity) {
	if t.collector != nil {
		t.collector.collect(n, true, Digest{})
	}
	if t.loading != nil {
		t.loading.added = append(t.loading.added, n)
		return
	}
	t.markDirty(n)
	t.afterChange(n)
}

// beforeChange must be called before an entity changes, and afterChange after the change.
func (t *tracker) beforeChange(n entity) {
	if t.frozen != nil && n.header().gen == t.frozen.gen {
		t.frozen.captured = append(t.frozen.captured, changeOf(n, nil))
	}
	digest := n.digest()
	if t.collector != nil {
		t.collector.collect(n, false, digest)
	}
	t.sum = t.sum.minus(digest)
	t.markDirty(n)
}

func (t *tracker) afterChange(n entity) {
	digest := n.digest()
	if t.collector != nil {
		t.collector.changedTo(n, digest)
	}
	t.sum = t.sum.Plus(digest)
}

// remove removes an entity permanently.
func (t *tracker) remove(n entity) {
	t.beforeChange(n)
	n.header().removed = true
	t.removed = append(t.removed, n)
}

func (t *tracker) markDirty(n entity) {
	if h := n.header(); h.gen != t.gen {
		h.gen = t.gen
		t.dirty = append(t.dirty, n)
	}
}

// Change is one record at the moment of the freeze, or the name of one that was removed.
type Change struct {
	Record  Record // nil: it was removed
	Removed RecordKey
}

// Name is the name of the record.
func (c Change) Name() RecordKey {
	if c.Record == nil {
		return c.Removed
	}
	return c.Record.Key()
}

// Frozen is the set of records that changed since the previous snapshot, as they were at one moment. A freeze costs nothing per record: a
// record is copied when Next reaches it, or before it changes.
//
// The removals come first, because another record may have taken a name since: the last change of a name counts.
//
// Next and Release need the exclusive lock of the State. Call Release exactly once.
type Frozen struct {
	Digest   Digest // of the whole state at that moment
	Clock    int64  // log time at that moment, Unix ms
	Version  uint64 // ledger version at that moment
	RaisedBy string // the build that raised it last; empty: none did
	Len      int    // number of changes

	tracker  *tracker
	gen      uint32
	entities []entity
	removed  []entity // those of them that were removed
	gone     int      // how many of removed Next has returned
	read     int      // how many of entities it has seen
	captured []Change // known from the start, or copied because they changed before Next reached them
}

// freeze starts a snapshot. meta is the ledger's own record.
func (t *tracker) freeze(f *Frozen, meta Record) *Frozen {
	if t.frozen != nil {
		panic("fsm: freeze while another snapshot is under way")
	}
	f.tracker, f.gen, f.entities, f.removed, f.captured = t, t.gen, t.dirty, t.removed, []Change{{Record: meta}}
	f.Len = len(f.captured) + len(f.entities)
	t.dirty, t.removed, t.frozen = nil, nil, f
	t.gen++
	if t.gen == clean {
		panic("fsm: snapshot generations used up")
	}
	return f
}

// looksPerChange bounds how many records Next passes over, because they were removed or changed since. That costs a cache miss each.
const looksPerChange = 16

// Done reports whether Next has returned all changes.
func (f *Frozen) Done() bool {
	return f.gone == len(f.removed) && len(f.captured) == 0 && f.read == len(f.entities)
}

// Next returns up to n more changes, which may be none before it is Done. Copying is cheap: the lock is held for microseconds per hundred records.
// spent is nil, or what an earlier call returned and nobody needs any more: its memory is used again.
func (f *Frozen) Next(n int, spent []Change) []Change {
	batch, spare := slices.Grow(spent[:0], n), spares{list: spent}
	for ; len(batch) < n && f.gone < len(f.removed); f.gone++ {
		batch = append(batch, Change{Removed: f.removed[f.gone].key()})
	}
	for len(batch) < n && len(f.captured) > 0 {
		last := len(f.captured) - 1
		batch = append(batch, f.captured[last])
		f.captured = f.captured[:last]
	}
	for last := f.read + min(looksPerChange*n, len(f.entities)-f.read); len(batch) < n && f.read < last; {
		e := f.entities[f.read]
		f.read++
		if h := e.header(); h.gen == f.gen {
			h.gen = clean
			if !h.removed {
				spare.next = max(spare.next, len(batch)) // batch grows over the others
				batch = append(batch, changeOf(e, &spare))
			}
		}
	}
	return batch
}

// Release ends the snapshot. If it was not saved, its records become dirty again.
func (f *Frozen) Release(saved bool) {
	f.tracker.frozen = nil
	if !saved {
		for _, n := range f.entities {
			f.tracker.markDirty(n)
		}
		f.tracker.removed = append(f.removed, f.tracker.removed...)
	}
	f.entities, f.removed, f.captured = nil, nil, nil
}

// changeOf copies an entity, into a spare record if there is one of its kind.
func changeOf(n entity, spare *spares) Change {
	var r Record
	if s, ok := n.(sparing); ok {
		r = s.recordIn(spare)
	} else {
		r = n.record()
	}
	if r == nil {
		return Change{Removed: n.key()}
	}
	return Change{Record: r}
}
