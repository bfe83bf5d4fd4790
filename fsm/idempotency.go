package fsm

import (
	"github.com/creditd/creditd/fsm/fields"
)

// idempotencyTTL is how long, in ms of log time, the outcome of a call with an idempotency key is kept. See contract 7.1.
const idempotencyTTL = 86_400_000

// Idempotency makes a call the only one of its name: a second one is answered with the outcome of the first.
type Idempotency struct {
	Key         ShortHash // hash of the endpoint and the caller's idempotency key
	Fingerprint ShortHash // hash of the request that the key was sent with
}

// idempotencyRecord is what became of a call with an idempotency key. It never changes.
type idempotencyRecord struct {
	entityHeader
	idempotencyRef
	fingerprint ShortHash
	at          int64 // log time, Unix ms
	index       uint64
	result      Result
	weight      uint64 // of the result; kept, because a large one takes time to weigh
	place       int32  // in idempotencyStore.expiries
}

type idempotencyRef struct {
	workspace *workspace
	keyHash   ShortHash
}

// idempotencyStore has the outcomes that are kept. An expired one counts as absent at once, and is dropped when its turn comes.
type idempotencyStore struct {
	*core
	tenants  *tenancy
	byKey    map[idempotencyRef]*idempotencyRecord // may have expired ones
	expiries deadlines[*idempotencyRecord]
	weight   uint64 // of those in byKey
	capacity uint64 // of weight, for the entry under way; 0: none
}

func (o *idempotencyRecord) expired(now int64) bool { return o.deadline() <= now }

func (o *idempotencyRecord) deadline() int64 { return o.at + idempotencyTTL }

func (o *idempotencyRecord) slot() *int32 { return &o.place }

// sooner orders outcomes by when they came, and within an entry by name.
func (o *idempotencyRecord) sooner(p *idempotencyRecord) bool {
	if o.at != p.at {
		return o.at < p.at
	}
	return o.recordID() < p.recordID()
}

// findReplay answers a call whose name has an outcome; nil: it has none.
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

// checkIdempotencyCapacity refuses one more when the limit is reached. How much it would take is not known before the call is carried out, so the
// limit may be exceeded by one outcome. None is dropped before its time.
func (d *idempotencyStore) checkIdempotencyCapacity() *Refusal {
	d.expire(2) // two go for each that comes: there are never many more than those that matter
	return d.idempotencyStoreFull()
}

// idempotencyStoreFull is the refusal of one more while the limit is reached and the oldest has not expired; nil: there may be room. The
// limit is that of the last entry.
func (d *idempotencyStore) idempotencyStoreFull() *Refusal {
	if d.capacity == 0 || d.weight < d.capacity {
		return nil
	}
	wait := int64(1)
	if len(d.expiries) > 0 {
		wait = max(wait, (d.expiries[0].deadline()-d.clock+999)/1000)
	}
	return &Refusal{Code: IdempotencyStoreFull, RetryAfter: wait}
}

// peekIdempotencyCapacity is checkIdempotencyCapacity for calls that are only looked at: nil also where Apply could drop an outcome first.
func (d *idempotencyStore) peekIdempotencyCapacity() *Refusal {
	if q := d.expiries; len(q) == 0 || q[0].expired(d.clock) {
		return nil
	}
	return d.idempotencyStoreFull()
}

// storeAnswer keeps what became of a call, unless one of its own items took the name.
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

// expire drops outcomes whose time is over.
func (d *idempotencyStore) expire(n int) { d.expiries.expire(d.clock, n, d.drop) }

func (d *idempotencyStore) drop(o *idempotencyRecord) {
	d.weight -= o.weight
	delete(d.byKey, o.idempotencyRef)
	d.remove(o)
}

// recordID orders outcomes by when they came, as the queue does, and within an entry by name. A name that comes back later is another record.
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
