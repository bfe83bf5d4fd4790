package fsm

import (
	"github.com/creditd/creditd/fsm/fields"
)

// idempotencyTTL is how long an idempotency record is kept, in ms of log time. See contract 7.1.
const idempotencyTTL = 86_400_000

// Idempotency is the idempotency key of a call. Later calls with the same key get the answer of the first.
type Idempotency struct {
	Key         ShortHash // hash of the endpoint and the client's idempotency key
	Fingerprint ShortHash // hash of the request
}

// idempotencyRecord is the stored answer of a call with an idempotency key. It never changes.
type idempotencyRecord struct {
	entityHeader
	idempotencyRef
	fingerprint ShortHash
	at          int64 // log time, Unix ms
	index       uint64
	result      Result
	weight      uint64 // of the result; stored, because weighing a large one is slow
	place       int32  // in idempotencyStore.expiries
}

type idempotencyRef struct {
	workspace *workspace
	keyHash   ShortHash
}

// idempotencyStore holds the idempotency records. An expired record counts as absent at once and is removed later.
type idempotencyStore struct {
	*core
	tenants  *tenancy
	byKey    map[idempotencyRef]*idempotencyRecord // may contain expired records
	expiries deadlines[*idempotencyRecord]
	weight   uint64 // total weight of byKey
	capacity uint64 // the largest weight, from the present entry; 0: no limit

	// lastCapacity is the capacity of the last entry that had one: only entries with idempotency keys have. Peek asks for it.
	lastCapacity uint64
}

// setCapacity sets the capacity of an entry.
func (d *idempotencyStore) setCapacity(capacity uint64) {
	d.capacity = capacity
	if capacity > 0 {
		d.lastCapacity = capacity
	}
}

func (o *idempotencyRecord) expired(now int64) bool { return o.deadline() <= now }

func (o *idempotencyRecord) deadline() int64 { return o.at + idempotencyTTL }

func (o *idempotencyRecord) slot() *int32 { return &o.place }

// sooner orders records by time, and by name within one entry.
func (o *idempotencyRecord) sooner(p *idempotencyRecord) bool {
	if o.at != p.at {
		return o.at < p.at
	}
	return o.recordID() < p.recordID()
}

// findReplay answers a call from its idempotency record; nil: there is none.
func (d *idempotencyStore) findReplay(w *workspace, key *Idempotency) Result {
	o := d.byKey[idempotencyRef{w, key.Key}]
	switch {
	case o == nil || o.expired(d.clock):
		return nil
	case o.fingerprint != key.Fingerprint:
		return refuse(IdempotencyConflict)
	default:
		return &IdempotentReplay{Result: o.result, Index: o.index}
	}
}

// checkIdempotencyCapacity refuses a new record when the store is full. The weight of the next answer is not known before, so one record
// may exceed the capacity. No record is removed early.
func (d *idempotencyStore) checkIdempotencyCapacity() *Refusal {
	d.expire(2) // each new record expires up to two old ones, so expired records never pile up
	return d.idempotencyStoreFull()
}

// idempotencyStoreFull is the refusal while the store is full; nil: there is capacity.
func (d *idempotencyStore) idempotencyStoreFull() *Refusal { return d.fullFor(d.capacity) }

func (d *idempotencyStore) fullFor(capacity uint64) *Refusal {
	if capacity == 0 || d.weight < capacity {
		return nil
	}
	wait := int64(1)
	if len(d.expiries) > 0 {
		wait = max(wait, (d.expiries[0].deadline()-d.clock+999)/1000)
	}
	return &Refusal{Code: IdempotencyStoreFull, RetryAfter: wait}
}

// peekIdempotencyCapacity is checkIdempotencyCapacity for a peek. It returns nil also where Apply could expire a record first.
func (d *idempotencyStore) peekIdempotencyCapacity() *Refusal {
	if q := d.expiries; len(q) == 0 || q[0].expired(d.clock) {
		return nil
	}
	return d.fullFor(d.lastCapacity)
}

// storeAnswer stores the answer of a call, unless an item of the call has stored one under the same key.
func (d *idempotencyStore) storeAnswer(w *workspace, key *Idempotency, r Result) {
	o := &idempotencyRecord{idempotencyRef: idempotencyRef{w, key.Key}, fingerprint: key.Fingerprint, at: d.clock, index: d.index, result: r, weight: weightOf(r)}
	if old := d.byKey[o.idempotencyRef]; old != nil {
		if !old.expired(d.clock) {
			return
		}
		d.expiries.remove(old)
		d.drop(old)
	}
	d.addIdempotencyRecord(o)
}

func (d *idempotencyStore) addIdempotencyRecord(o *idempotencyRecord) {
	d.byKey[o.idempotencyRef] = o
	d.expiries.add(o)
	d.weight += o.weight
	d.add(o)
}

// expire removes up to n expired records.
func (d *idempotencyStore) expire(n int) { d.expiries.expire(d.clock, n, d.drop) }

func (d *idempotencyStore) drop(o *idempotencyRecord) {
	d.weight -= o.weight
	delete(d.byKey, o.idempotencyRef)
	d.remove(o)
}

// recordID orders records as the queue does: by time, then by name. A key that is used again after expiry gets another record.
func (o *idempotencyRecord) recordID() string {
	return idempotencyRecordID(o.at, o.index, o.workspace.id, o.keyHash)
}

func (o *idempotencyRecord) key() RecordKey { return RecordKey{IdempotencyKind, o.recordID()} }

func (o *idempotencyRecord) record() Record {
	return &IdempotencyRecord{
		WorkspaceID: o.workspace.id, KeyHash: o.keyHash, Fingerprint: o.fingerprint, At: o.at, Index: o.index, Result: o.result,
	}
}

func (o *idempotencyRecord) digest() Digest {
	r := IdempotencyRecord{WorkspaceID: o.workspace.id, KeyHash: o.keyHash, Fingerprint: o.fingerprint, At: o.at, Index: o.index}
	v := fields.NewHashing(fields.NewHasher(uint8(IdempotencyKind)))
	r.hashedFields(&v)
	return digestFrom(v.Sum())
}

func (d *idempotencyStore) loadIdempotencyRecord(r *IdempotencyRecord) bool {
	w := d.tenants.workspaces[r.WorkspaceID]
	if w == nil || !storable(r.Result) || r.At < 0 || r.At > d.clock {
		return false
	}
	o := &idempotencyRecord{idempotencyRef: idempotencyRef{w, r.KeyHash}, fingerprint: r.Fingerprint, at: r.At, index: r.Index, result: r.Result, weight: weightOf(r.Result)}
	if d.byKey[o.idempotencyRef] != nil {
		return false
	}
	d.addIdempotencyRecord(o)
	return true
}

func (*idempotencyRecord) resource() AuditResource { return AuditResource{} }
