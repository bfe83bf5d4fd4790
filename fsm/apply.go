package fsm

import (
	"fmt"
	"slices"
)

// Apply carries out one log entry and returns one result per call, in order. Log time advances to the batch's stamp unless it
// is there already.
func (s *State) Apply(b Batch) []Result {
	s.index = b.Index
	s.idempotencyStore.capacity = b.MaxOutcomes
	if b.Stamp > s.clock {
		s.clock = b.Stamp
		for _, part := range s.expiries { // only then: an entry that changes nothing must not change the digest
			part.expire(expiredPerEntry)
		}
	}
	results := make([]Result, len(b.Calls))
	for i := range b.Calls {
		results[i] = s.once(&b.Calls[i])
	}
	return results
}

func (s *State) apply(call *Call) Result {
	t := call.Command.is()
	if commandsEvolve || t.since > s.version {
		if refusal := s.unready(call.Command); refusal != nil {
			return refusal
		}
	}
	if t.system {
		return call.Command.apply(s, nil)
	}
	root, refusal := s.authenticate(call.Actor)
	if refusal != nil {
		return refusal
	}
	if call.Once != nil {
		return s.performOnce(root, call)
	}
	return s.perform(root, t, call)
}

// unready refuses a command that the ledger version does not allow yet.
func (s *State) unready(c Command) *Refusal {
	if need := Requires(c); need > s.version {
		return &Refusal{Code: LedgerVersionTooLow, Detail: fmt.Sprintf("The request needs ledger version %d, and the cluster has %d", need, s.version)}
	}
	return nil
}

// perform carries out a call of a caller who is authenticated, and leaves its audit entry.
func (s *State) perform(root *rootKey, t *commandType, call *Call) Result {
	if t.event != Unaudited {
		return s.audited(t.event, root, call)
	}
	return call.Command.apply(s, root)
}

// Peek answers a call without carrying it out, if carrying it out would change nothing. The answer is the one that Apply would
// give at the present log time; ok false says that the call has to go through the log.
//
// The call must be sent for the first time: of a copy that is under way elsewhere Peek knows nothing, so what is sent again must go
// through the log, where its ticket is checked.
//
// It lets a flood of denied verifications, of calls with unknown root keys, and of named calls that nothing can remember, be served as
// reads; but for one verification of a key in a minute, which moves its lastUsedAt.
func (s *State) Peek(call *Call) (result Result, ok bool) { return s.peek(call, true) }

// PeekUndated is Peek for a time when nothing can be written: what would move only the lastUsedAt of keys is answered too.
func (s *State) PeekUndated(call *Call) (result Result, ok bool) { return s.peek(call, false) }

// peeker is a command that may change nothing.
type peeker interface {
	// peek answers for an authenticated caller if carrying the command out would change nothing; dating: a lastUsedAt is a change.
	peek(s *State, root *rootKey, dating bool) (result Result, ok bool)
}

func (s *State) peek(call *Call, dating bool) (result Result, ok bool) {
	if refusal := s.unready(call.Command); refusal != nil {
		return refusal, true
	}
	if call.Command.is().system {
		_, founded := call.Command.(*Bootstrap)
		return done, founded && s.clusterID != ""
	}
	root, refusal := s.authenticate(call.Actor)
	if refusal != nil {
		return refusal, true
	}
	if call.Once != nil {
		if r := s.recall(root.workspace, call.Once); r != nil {
			return r, true
		}
		if refusal := s.peekRoomForOutcome(); refusal != nil {
			return refusal, true
		}
		return nil, false // what is not there yet has to be kept, a denial too
	}
	if p, ok := call.Command.(peeker); ok {
		return p.peek(s, root, dating)
	}
	return nil, false
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

// once carries a call out unless its ticket says that it was carried out before.
//
// A call of a session that has expired, or below what was acknowledged, is refused and never carried out again: its first copy may
// have been.
func (s *State) once(call *Call) Result {
	t := call.Ticket
	if t.Session == 0 {
		return s.apply(call)
	}
	n := s.sessions[t.Session]
	if n == nil || n.deadline() <= s.clock || t.Seq < n.base || t.Seq-max(n.base, t.Below) >= MaxSessionWindow {
		return refuse(SessionExpired)
	}
	s.change(n)
	defer s.changed(n)
	if n.lastSeen != s.clock {
		n.lastSeen = s.clock
		s.sessionStore.expiries.fix(n)
	}
	n.acknowledge(t.Below)
	at := t.Seq - n.base
	if at < uint64(len(n.window)) && n.window[at].Result != nil {
		replayed := n.window[at] // a copy: the window moves on
		return &replayed
	}
	r := s.apply(call)
	n.keep(at, Replayed{Result: r, Index: s.index})
	return r
}

// audited carries a command out and adds its entry, unless it is refused or changes nothing.
func (s *State) audited(event Event, root *rootKey, call *Call) Result {
	t := newTrail(s.clock)
	s.trail = t
	r := call.Command.apply(s, root)
	s.trail = nil
	if _, refused := r.(*Refusal); refused {
		return r
	}
	resources, balances := t.changed()
	if len(resources) == 0 {
		return r
	}
	entry := AuditEntry{
		Index: s.index, Time: s.clock, Event: event, ActorID: root.id, ActorName: root.name, Origin: call.Origin, Resources: resources,
		Balances: balances,
	}
	if omitted := len(resources) - MaxAuditResources; omitted > 0 {
		last := resources[MaxAuditResources-1]
		entry.Resources, entry.Omitted = slices.Clone(resources[:MaxAuditResources]), int64(omitted)
		entry.Balances = slices.DeleteFunc(balances, func(b AuditBalance) bool { return compareResources(b.Owner, last) > 0 })
	}
	s.addAudit(root.workspace, entry)
	return r
}
