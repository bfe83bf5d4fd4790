package fsm

// entityHeader is what every record in memory carries for snapshots.
type entityHeader struct {
	// gen is the generation in which the record last changed: the tracker's own means dirty, that of a Frozen means frozen and
	// not captured yet, any other one clean. Generations make a freeze cost nothing per record.
	gen     uint32
	removed bool // removed for good
}

func (h *entityHeader) header() *entityHeader { return h }

// entity is a record in memory. key names it, record copies it, and is nil for a record that is not present.
type entity interface {
	header() *entityHeader
	key() RecordKey
	record() Record
	digest() Digest
	// resource is what an audit entry says of the record; the zero one: nothing.
	resource() AuditResource
}

// clean is the generation of a record that is on disk as it is.
const clean uint32 = 0

// tracker knows which records changed since the last snapshot, and keeps the digest up to date.
type tracker struct {
	gen       uint32   // present generation; never clean
	dirty     []entity // the records of the present generation
	removed   []entity // those of them that were removed for good
	frozen    *Frozen
	sum       Digest          // of all records but the meta record
	collector *auditCollector // of the audited command that is being carried out; nil: none is
}

// add takes a new record in.
func (t *tracker) add(n entity) {
	if t.collector != nil {
		t.collector.collect(n, true)
	}
	t.markDirty(n)
	t.afterChange(n)
}

// beforeChange must be called before a record is changed, and changed after it.
func (t *tracker) beforeChange(n entity) {
	if t.frozen != nil && n.header().gen == t.frozen.gen {
		t.frozen.captured = append(t.frozen.captured, changeOf(n))
	}
	if t.collector != nil {
		t.collector.collect(n, false)
	}
	t.sum = t.sum.minus(n.digest())
	t.markDirty(n)
}

func (t *tracker) afterChange(n entity) { t.sum = t.sum.plus(n.digest()) }

// remove takes a record out for good.
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

// Change is one record as it was when the state was frozen. A nil Record was removed.
type Change struct {
	Key    RecordKey
	Record Record
}

// Frozen is the set of records that changed since the previous snapshot, as they were at one moment. Making one costs nothing per
// record; a record that changes before it was read is copied just then.
//
// Next and Release need the exclusive lock of the State. Exactly one Release ends it.
type Frozen struct {
	Digest   Digest // of the whole state at that moment
	Clock    int64  // log time at that moment, Unix ms
	Version  uint64 // ledger version at that moment
	RaisedBy string // the build that raised it last; empty: none did
	Len      int    // changes it yields in all

	tracker  *tracker
	gen      uint32
	entities []entity
	removed  []entity
	read     int
	captured []Change // known from the start, or captured because they changed before Next reached them
}

// freeze starts a snapshot: meta is the ledger's own record, and retaken reports whether another record speaks for the name of a removed
// one.
func (t *tracker) freeze(f *Frozen, meta Record, retaken func(RecordKey) bool) *Frozen {
	if t.frozen != nil {
		panic("fsm: freeze while another snapshot is under way")
	}
	f.tracker, f.gen, f.entities, f.removed, f.captured = t, t.gen, t.dirty, t.removed, []Change{{meta.Key(), meta}}
	seen := make(map[RecordKey]bool, len(t.removed)) // a name may have come and gone more than once
	for _, n := range t.removed {
		if name := n.key(); !seen[name] && !retaken(name) {
			seen[name] = true
			f.captured = append(f.captured, Change{Key: name})
		}
	}
	f.Len = len(f.captured) + len(f.entities) - len(f.removed)
	t.dirty, t.removed, t.frozen = nil, nil, f
	t.gen++
	if t.gen == clean {
		panic("fsm: snapshot generations used up")
	}
	return f
}

// Next returns up to n further changes, none when all were returned. Copying a record is cheap, so the lock is held for
// microseconds per hundred.
func (f *Frozen) Next(n int) []Change {
	batch := make([]Change, 0, n)
	for len(batch) < n && len(f.captured) > 0 {
		last := len(f.captured) - 1
		batch = append(batch, f.captured[last])
		f.captured = f.captured[:last]
	}
	for len(batch) < n && f.read < len(f.entities) {
		e := f.entities[f.read]
		f.read++
		if h := e.header(); h.gen == f.gen {
			h.gen = clean
			if !h.removed { // its removal is among the early ones
				batch = append(batch, changeOf(e))
			}
		}
	}
	return batch
}

// Release ends the snapshot. Unless it was saved, its records count as changed again.
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

func changeOf(n entity) Change { return Change{Key: n.key(), Record: n.record()} }
