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
	next        *idempotencyRecord // the next younger one of the workspace
	weight      uint32             // of the result; stored, because weighing a large one is slow
	place       int32              // in idempotencyStore.expiries
}

// outcomes are the idempotency records of one workspace. Those of one entry expire at once, so the first one expires first.
type outcomes struct {
	weight      uint64
	first, last *idempotencyRecord // of a list that may hold removed ones, but not in front
}

type idempotencyRef struct {
	workspace *workspace
	keyHash   ShortHash
}

func (o *idempotencyRecord) ref() idempotencyRef { return o.idempotencyRef }

func (r idempotencyRef) word() uint64 { return r.keyHash.word() ^ wordOf(r.workspace.id) }

// idempotencyStore holds the idempotency records. An expired record counts as absent at once and is removed later.
type idempotencyStore struct {
	*core
	tenants  *tenancy
	byKey    lookup[idempotencyRef, *idempotencyRecord] // may contain expired records
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
	o := d.byKey.find(idempotencyRef{w, key.Key})
	switch {
	case o == nil || o.expired(d.clock):
		return nil
	case o.fingerprint != key.Fingerprint:
		return refuse(IdempotencyConflict)
	default:
		return &IdempotentReplay{Result: o.result, Index: o.index}
	}
}

// checkIdempotencyCapacity refuses a new record of a workspace when the store, or the share of the workspace, is full. The weight of the next
// answer is not known before, so one record may exceed the capacity. No record is removed early.
func (d *idempotencyStore) checkIdempotencyCapacity(w *workspace) *Refusal {
	d.expire(2) // each new record expires up to two old ones, so expired records never pile up
	return d.idempotencyStoreFull(w)
}

// idempotencyStoreFull is the refusal while a workspace can store no more; nil: it can.
func (d *idempotencyStore) idempotencyStoreFull(w *workspace) *Refusal {
	return d.fullFor(w, d.capacity)
}

// fullFor is idempotencyStoreFull for a capacity. Below ledger version 3, whoever came first had the whole store.
func (d *idempotencyStore) fullFor(w *workspace, capacity uint64) *Refusal {
	first := w.outcomes.first
	if q := w.quotas[OutcomesQuota]; q.Limited && w.outcomes.weight >= uint64(q.Limit) {
		return w.exhausted(OutcomesQuota, d.untilExpired(first))
	}
	if d.version < thirdRules {
		if capacity == 0 || d.weight < capacity {
			return nil
		}
		if len(d.expiries) > 0 {
			first = d.expiries[0]
		}
	} else if shares(w.outcomes.weight, d.weight, capacity, len(d.tenants.workspaces)) {
		return nil
	}
	return &Refusal{Code: IdempotencyStoreFull, RetryAfter: d.untilExpired(first)}
}

// untilExpired is the number of seconds, at least 1, until a record expires; nil: there is none, as with a quota of 0.
func (d *idempotencyStore) untilExpired(o *idempotencyRecord) int64 {
	if o == nil {
		return quotaRetryAfter
	}
	return max(1, (o.deadline()-d.clock+999)/1000)
}

// peekIdempotencyCapacity is checkIdempotencyCapacity for a peek. It returns nil also where Apply could expire a record first.
func (d *idempotencyStore) peekIdempotencyCapacity(w *workspace) *Refusal {
	if q := d.expiries; len(q) == 0 || q[0].expired(d.clock) {
		return nil
	}
	return d.fullFor(w, d.lastCapacity)
}

// storeAnswer stores the answer of a call, unless an item of the call has stored one under the same key.
func (d *idempotencyStore) storeAnswer(w *workspace, key *Idempotency, r Result) {
	o := &idempotencyRecord{idempotencyRef: idempotencyRef{w, key.Key}, fingerprint: key.Fingerprint, at: d.clock, index: d.index, result: r, weight: uint32(weightOf(r))}
	if old := d.byKey.find(o.idempotencyRef); old != nil {
		if !old.expired(d.clock) {
			return
		}
		d.expiries.remove(old)
		d.drop(old)
	}
	d.addIdempotencyRecord(o)
}

func (d *idempotencyStore) addIdempotencyRecord(o *idempotencyRecord) {
	d.byKey.put(o)
	d.expiries.add(o)
	d.weight += uint64(o.weight)
	d.add(o)
	w := &o.workspace.outcomes
	w.weight += uint64(o.weight)
	if w.last == nil {
		w.first = o
	} else {
		w.last.next = o
	}
	w.last = o
}

// expire removes up to n expired records.
func (d *idempotencyStore) expire(n int) { d.expiries.expire(d.clock, n, d.drop) }

func (d *idempotencyStore) drop(o *idempotencyRecord) {
	d.weight -= uint64(o.weight)
	d.byKey.remove(o)
	d.remove(o)
	w := &o.workspace.outcomes
	w.weight -= uint64(o.weight)
	for w.first != nil && w.first.removed {
		gone := w.first
		w.first, gone.next = gone.next, nil
	}
	if w.first == nil {
		w.last = nil
	}
}

// recordID orders records as the queue does: by time, then by name. A key that is used again after expiry gets another record.
func (o *idempotencyRecord) recordID() string {
	return idempotencyRecordID(o.at, o.index, o.workspace.id, o.keyHash)
}

func (o *idempotencyRecord) key() RecordKey { return RecordKey{IdempotencyKind, o.recordID()} }

func (o *idempotencyRecord) record() Record { return o.recordIn(nil) }

func (o *idempotencyRecord) recordIn(spare *spares) Record {
	r := takeSpare[IdempotencyRecord](spare)
	*r = IdempotencyRecord{
		WorkspaceID: o.workspace.id, KeyHash: o.keyHash, Fingerprint: o.fingerprint, At: o.at, Index: o.index, Result: o.result,
	}
	return r
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
	o := &idempotencyRecord{idempotencyRef: idempotencyRef{w, r.KeyHash}, fingerprint: r.Fingerprint, at: r.At, index: r.Index, result: r.Result, weight: uint32(weightOf(r.Result))}
	if d.byKey.find(o.idempotencyRef) != nil {
		return false
	}
	d.addIdempotencyRecord(o)
	return true
}

func (*idempotencyRecord) resource() AuditResource { return AuditResource{} }
