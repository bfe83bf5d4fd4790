package fsm

import (
	"slices"
	"strings"

	"github.com/creditd/creditd/fsm/fields"
)

// outcomeTTL is how long, in ms of log time, the outcome of a call with an idempotency key is kept. See contract 7.1.
const outcomeTTL = 86_400_000

// outcomesPerEntry is how many expired outcomes one log entry drops at most, apart from those that make room for new ones: an entry
// takes microseconds longer for it, however many there are.
const outcomesPerEntry = 64

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
}

type outcomeName struct {
	workspace *workspace
	name      Short
}

// outcomes are those that are kept. An expired one counts as absent at once, and is dropped when its turn comes.
type outcomes struct {
	byName map[outcomeName]*outcome // may have expired ones; of a name the newest
	queue  []*outcome               // oldest first; may have ones whose name has a newer one
	weight uint64                   // of those in byName
	added  int                      // by the entry under way
	limit  uint64                   // of weight, for the entry under way; 0: none
}

func (o *outcome) expired(now int64) bool { return now-o.at >= outcomeTTL }

// recall answers a call whose name has an outcome; nil: it has none.
func (s *State) recall(w *workspace, once *Idempotency) Result {
	o := s.outcomes.byName[outcomeName{w, once.Name}]
	switch {
	case o == nil || o.expired(s.clock):
		return nil
	case o.request != once.Request:
		return refuse(IdempotencyConflict)
	default:
		return &Repeated{Result: o.result, Index: o.index}
	}
}

// performOnce carries a call out unless its name has an outcome. A refusal leaves no trace.
func (s *State) performOnce(root *rootKey, call *Call) Result {
	if r := s.recall(root.workspace, call.Once); r != nil {
		return r
	}
	if refusal := s.roomForOutcome(); refusal != nil {
		return refusal
	}
	r := s.perform(root, call.Command.is(), call)
	if _, refused := r.(*Refusal); !refused {
		s.keepOutcome(root.workspace, call.Once, r)
	}
	return r
}

// roomForOutcome refuses one more when the limit is reached. How much it would take is not known before the call is carried out, so the
// limit may be exceeded by one outcome. None is dropped before its time.
func (s *State) roomForOutcome() *Refusal {
	s.dropOutcomes(2) // two go for each that comes: there are never many more than those that matter
	return s.noRoomForOutcome()
}

// noRoomForOutcome is the refusal of one more while the limit is reached and the oldest has not expired; nil: there may be room. The
// limit is that of the last entry.
func (s *State) noRoomForOutcome() *Refusal {
	if s.outcomes.limit == 0 || s.outcomes.weight < s.outcomes.limit {
		return nil
	}
	wait := int64(1)
	if len(s.outcomes.queue) > 0 {
		wait = max(wait, (s.outcomes.queue[0].at+outcomeTTL-s.clock+999)/1000)
	}
	return &Refusal{Code: TooManyOutcomes, RetryAfter: wait}
}

// peekRoomForOutcome is roomForOutcome for calls that are only looked at: nil also where Apply could drop an outcome first.
func (s *State) peekRoomForOutcome() *Refusal {
	if q := s.outcomes.queue; len(q) == 0 || q[0].gone || q[0].expired(s.clock) {
		return nil
	}
	return s.noRoomForOutcome()
}

// keepOutcome keeps what became of a call, unless one of its own items took the name.
func (s *State) keepOutcome(w *workspace, once *Idempotency, r Result) {
	o := &outcome{outcomeName: outcomeName{w, once.Name}, request: once.Request, at: s.clock, index: s.index, result: r, weight: weightOf(r)}
	if old := s.outcomes.byName[o.outcomeName]; old != nil {
		if !old.expired(s.clock) {
			return
		}
		s.outcomes.weight -= old.weight
		s.remove(old)
	}
	s.addOutcome(o)
}

func (s *State) addOutcome(o *outcome) {
	s.outcomes.byName[o.outcomeName] = o
	s.outcomes.queue = append(s.outcomes.queue, o)
	s.outcomes.added++
	s.outcomes.weight += o.weight
	s.added(o)
}

// dropOutcomes drops up to n expired outcomes, the oldest first. Those whose names have newer ones were removed before, and do not
// count: a node that has loaded a snapshot does not have them.
func (s *State) dropOutcomes(n int) {
	for len(s.outcomes.queue) > 0 {
		o := s.outcomes.queue[0]
		if !o.gone {
			if n == 0 || !o.expired(s.clock) {
				return
			}
			n--
			s.outcomes.weight -= o.weight
			delete(s.outcomes.byName, o.outcomeName)
			s.remove(o)
		}
		s.outcomes.queue[0] = nil
		s.outcomes.queue = s.outcomes.queue[1:]
	}
}

// orderOutcomes gives the outcomes of one entry the order in which a node finds them that loads them from a snapshot: all nodes drop the
// same ones with the same entry.
func (s *State) orderOutcomes() {
	if n := s.outcomes.added; n > 1 {
		slices.SortFunc(s.outcomes.queue[len(s.outcomes.queue)-n:], (*outcome).compare)
	}
	s.outcomes.added = 0
}

func (o *outcome) compare(other *outcome) int { return strings.Compare(o.recordID(), other.recordID()) }

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

func (s *State) loadOutcome(r *OutcomeRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || !storable(r.Result) || r.At < 0 || r.At > s.clock {
		return false
	}
	o := &outcome{outcomeName: outcomeName{w, r.Name}, request: r.Request, at: r.At, index: r.Index, result: r.Result, weight: weightOf(r.Result)}
	if s.outcomes.byName[o.outcomeName] != nil {
		return false
	}
	if n := len(s.outcomes.queue); n > 0 && s.outcomes.queue[n-1].compare(o) >= 0 {
		return false // a snapshot yields records in the order of their keys
	}
	s.addOutcome(o)
	return true
}
