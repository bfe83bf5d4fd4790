package fsm

import (
	"fmt"
	"slices"
)

// Apply carries out one log entry and returns one result per call, in order. Log time advances to the batch's stamp unless it
// is there already.
func (s *State) Apply(b Batch) []Result {
	s.index = b.Index
	s.idempotencyStore.capacity = b.IdempotencyMaxKeys
	if b.Stamp > s.clock {
		s.clock = b.Stamp
		for _, part := range s.expiries { // only then: an entry that changes nothing must not change the digest
			part.expire(expiredPerEntry)
		}
	}
	results := make([]Result, len(b.Calls))
	for i := range b.Calls {
		results[i] = s.applyInSession(&b.Calls[i])
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
	if call.Idempotency != nil {
		return s.executeIdempotent(root, call)
	}
	return s.execute(root, t, call)
}

// unready refuses a command that the ledger version does not allow yet.
func (s *State) unready(c Command) *Refusal {
	if need := Requires(c); need > s.version {
		return &Refusal{Code: LedgerVersionTooLow, Detail: fmt.Sprintf("The request needs ledger version %d, and the cluster has %d", need, s.version)}
	}
	return nil
}

// execute carries out a call of a caller who is authenticated, and leaves its audit entry.
func (s *State) execute(root *rootKey, t *commandType, call *Call) Result {
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

// PeekWithoutLastUsed is Peek for a time when nothing can be written: what would move only the lastUsedAt of keys is answered too.
func (s *State) PeekWithoutLastUsed(call *Call) (result Result, ok bool) { return s.peek(call, false) }

// peeker is a command that may change nothing.
type peeker interface {
	// peek answers for an authenticated caller if carrying the command out would change nothing; dating: a lastUsedAt is a change.
	peek(s *State, root *rootKey, updateLastUsed bool) (result Result, ok bool)
}

func (s *State) peek(call *Call, updateLastUsed bool) (result Result, ok bool) {
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
	if call.Idempotency != nil {
		if r := s.findReplay(root.workspace, call.Idempotency); r != nil {
			return r, true
		}
		if refusal := s.peekIdempotencyCapacity(); refusal != nil {
			return refusal, true
		}
		return nil, false // what is not there yet has to be kept, a denial too
	}
	if p, ok := call.Command.(peeker); ok {
		return p.peek(s, root, updateLastUsed)
	}
	return nil, false
}

// executeIdempotent carries a call out unless its name has an outcome. A refusal leaves no trace.
func (s *State) executeIdempotent(root *rootKey, call *Call) Result {
	if r := s.findReplay(root.workspace, call.Idempotency); r != nil {
		return r
	}
	if refusal := s.checkIdempotencyCapacity(); refusal != nil {
		return refusal
	}
	r := s.execute(root, call.Command.is(), call)
	if _, refused := r.(*Refusal); !refused {
		s.storeAnswer(root.workspace, call.Idempotency, r)
	}
	return r
}

// applyInSession carries a call out unless its ticket says that it was carried out before.
//
// A call of a session that has expired, or below what was acknowledged, is refused and never carried out again: its first copy may
// have been.
func (s *State) applyInSession(call *Call) Result {
	id := call.ID
	if id.Session == 0 {
		return s.apply(call)
	}
	n := s.sessions[id.Session]
	if n == nil || n.deadline() <= s.clock || id.Seq < n.base || id.Seq-max(n.base, id.AckedBelow) >= MaxSessionWindow {
		return refuse(SessionExpired)
	}
	s.beforeChange(n)
	defer s.afterChange(n)
	if n.lastSeen != s.clock {
		n.lastSeen = s.clock
		s.sessionStore.expiries.fix(n)
	}
	n.acknowledge(id.AckedBelow)
	at := id.Seq - n.base
	if at < uint64(len(n.window)) && n.window[at].Result != nil {
		retransmitted := n.window[at] // a copy: the window moves on
		return &retransmitted
	}
	r := s.apply(call)
	n.storeResult(at, Retransmitted{Result: r, Index: s.index})
	return r
}

// audited carries a command out and adds its entry, unless it is refused or changes nothing.
func (s *State) audited(event Event, root *rootKey, call *Call) Result {
	t := newAuditCollector(s.clock)
	s.collector = t
	r := call.Command.apply(s, root)
	s.collector = nil
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
