package fsm

import (
	"github.com/creditd/creditd/fsm/fields"
)

// outcomeTTL is how long, in ms of log time, the outcome of a call with an idempotency key is kept. See contract 7.1.
const outcomeTTL = 86_400_000

// Idempotency makes a call the only one of its name: a second one is answered with the outcome of the first.
type Idempotency struct {
	Name    Short // hash of the endpoint and the caller's idempotency key
	Request Short // hash of the request that the key was sent with
}

// outcome is what became of a call with an idempotency key. It never changes.
type outcome struct {
	head
	outcomeName
	request Short
	at      int64 // log time, Unix ms
	index   uint64
	result  Result
	weight  uint64 // of the result; kept, because a large one takes time to weigh
	place   int32  // in idempotencyStore.expiries
}

type outcomeName struct {
	workspace *workspace
	name      Short
}

// idempotencyStore has the outcomes that are kept. An expired one counts as absent at once, and is dropped when its turn comes.
type idempotencyStore struct {
	*core
	tenants  *tenancy
	byName   map[outcomeName]*outcome // may have expired ones
	expiries deadlines[*outcome]
	weight   uint64 // of those in byName
	capacity uint64 // of weight, for the entry under way; 0: none
}

func (o *outcome) expired(now int64) bool { return o.deadline() <= now }

func (o *outcome) deadline() int64 { return o.at + outcomeTTL }

func (o *outcome) slot() *int32 { return &o.place }

// sooner orders outcomes by when they came, and within an entry by name.
func (o *outcome) sooner(p *outcome) bool {
	if o.at != p.at {
		return o.at < p.at
	}
	return o.recordID() < p.recordID()
}

// recall answers a call whose name has an outcome; nil: it has none.
func (d *idempotencyStore) recall(w *workspace, once *Idempotency) Result {
	o := d.byName[outcomeName{w, once.Name}]
	switch {
	case o == nil || o.expired(d.clock):
		return nil
	case o.request != once.Request:
		return refuse(IdempotencyConflict)
	default:
		return &Repeated{Result: o.result, Index: o.index}
	}
}

// roomForOutcome refuses one more when the limit is reached. How much it would take is not known before the call is carried out, so the
// limit may be exceeded by one outcome. None is dropped before its time.
func (d *idempotencyStore) roomForOutcome() *Refusal {
	d.expire(2) // two go for each that comes: there are never many more than those that matter
	return d.noRoomForOutcome()
}

// noRoomForOutcome is the refusal of one more while the limit is reached and the oldest has not expired; nil: there may be room. The
// limit is that of the last entry.
func (d *idempotencyStore) noRoomForOutcome() *Refusal {
	if d.capacity == 0 || d.weight < d.capacity {
		return nil
	}
	wait := int64(1)
	if len(d.expiries) > 0 {
		wait = max(wait, (d.expiries[0].deadline()-d.clock+999)/1000)
	}
	return &Refusal{Code: TooManyOutcomes, RetryAfter: wait}
}

// peekRoomForOutcome is roomForOutcome for calls that are only looked at: nil also where Apply could drop an outcome first.
func (d *idempotencyStore) peekRoomForOutcome() *Refusal {
	if q := d.expiries; len(q) == 0 || q[0].expired(d.clock) {
		return nil
	}
	return d.noRoomForOutcome()
}

// keepOutcome keeps what became of a call, unless one of its own items took the name.
func (d *idempotencyStore) keepOutcome(w *workspace, once *Idempotency, r Result) {
	o := &outcome{outcomeName: outcomeName{w, once.Name}, request: once.Request, at: d.clock, index: d.index, result: r, weight: weightOf(r)}
	if old := d.byName[o.outcomeName]; old != nil {
		if !old.expired(d.clock) {
			return
		}
		d.expiries.remove(old)
		d.drop(old)
	}
	d.addOutcome(o)
}

func (d *idempotencyStore) addOutcome(o *outcome) {
	d.byName[o.outcomeName] = o
	d.expiries.add(o)
	d.weight += o.weight
	d.added(o)
}

// expire drops outcomes whose time is over.
func (d *idempotencyStore) expire(n int) { d.expiries.expire(d.clock, n, d.drop) }

func (d *idempotencyStore) drop(o *outcome) {
	d.weight -= o.weight
	delete(d.byName, o.outcomeName)
	d.remove(o)
}

// recordID orders outcomes by when they came, as the queue does, and within an entry by name. A name that comes back later is another record.
func (o *outcome) recordID() string { return outcomeID(o.at, o.index, o.workspace.id, o.name) }

func (o *outcome) key() RecordKey { return RecordKey{OutcomeKind, o.recordID()} }

func (o *outcome) record() Record {
	return &OutcomeRecord{
		WorkspaceID: o.workspace.id, Name: o.name, Request: o.request, At: o.at, Index: o.index, Result: o.result,
	}
}

func (o *outcome) digest() Digest {
	r := OutcomeRecord{WorkspaceID: o.workspace.id, Name: o.name, Request: o.request, At: o.at, Index: o.index}
	v := fields.NewHashing(fields.NewHasher(uint8(OutcomeKind)))
	r.digested(&v)
	return digestFrom(v.Sum())
}

func (d *idempotencyStore) loadOutcome(r *OutcomeRecord) bool {
	w := d.tenants.workspaces[r.WorkspaceID]
	if w == nil || !storable(r.Result) || r.At < 0 || r.At > d.clock {
		return false
	}
	o := &outcome{outcomeName: outcomeName{w, r.Name}, request: r.Request, at: r.At, index: r.Index, result: r.Result, weight: weightOf(r.Result)}
	if d.byName[o.outcomeName] != nil {
		return false
	}
	d.addOutcome(o)
	return true
}

func (*outcome) resource() AuditResource { return AuditResource{} }
