package fsm

import (
	"fmt"
	"slices"
)

// Apply executes one log entry and returns one result per call, in order. The batch's stamp becomes the log time if it is later.
func (s *State) Apply(b Batch) []Result {
	s.Begin(b)
	results := make([]Result, len(b.Calls))
	for i := range b.Calls {
		results[i] = s.Execute(&b.Calls[i])
	}
	return results
}

// Begin is the part of Apply before the first call, for an owner that measures the calls. It then calls Execute for each of them, in order.
func (s *State) Begin(b Batch) {
	s.index = b.Index
	s.setCapacity(b.IdempotencyMaxKeys)
	if b.Stamp > s.clock {
		s.clock = b.Stamp
		for _, part := range s.expiries { // only then: an entry that changes nothing must not change the digest
			part.expire(expiredPerEntry)
		}
	}
}

// Execute executes one call of the entry that Begin began.
func (s *State) Execute(call *Call) Result { return s.applyInSession(call) }

func (s *State) apply(call *Call) Result {
	t := call.Command.is()
	root, refusal := s.admit(t, call)
	if refusal != nil {
		return refusal
	}
	if t.system {
		return s.run(call.Command, nil)
	}
	if call.Idempotency != nil {
		return s.executeIdempotent(root, call)
	}
	return s.execute(root, t, call)
}

// admit authenticates the caller of a call and refuses a command that needs a newer ledger version. A system command has no caller.
func (s *State) admit(t *commandType, call *Call) (root *rootKey, refusal *Refusal) {
	if !t.system {
		if root, refusal = s.authenticate(call.Actor); refusal != nil {
			return nil, refusal
		}
	}
	return root, s.unready(call.Command)
}

// unready refuses a command that needs a newer ledger version. This build can make no such command once the ledger has its newest one.
func (s *State) unready(c Command) *Refusal {
	if s.version == NewestLedgerVersion {
		return nil
	}
	if need := Requires(c); need > s.version {
		return &Refusal{Code: LedgerVersionTooLow, Detail: fmt.Sprintf("The request needs ledger version %d, and the cluster has %d", need, s.version)}
	}
	return nil
}

// execute executes a call of an authenticated caller and writes its audit entry.
func (s *State) execute(root *rootKey, t *commandType, call *Call) Result {
	if t.event != Unaudited && s.version >= t.noted {
		return s.audited(t.event, root, call)
	}
	return s.run(call.Command, root)
}

// run applies the rule of a command.
func (s *State) run(c Command, root *rootKey) Result {
	if e, ok := c.(executor); ok {
		return e.apply(s, root)
	}
	execute, refusal := c.(planner).plan(s, root)
	if refusal != nil {
		return refusal
	}
	return execute()
}

// Peek answers a call that would change nothing, as Apply would at the present log time: a refusal, a replay, a denial. ok is false if the
// call must go through the log. Beyond what Apply does, it refuses to open windows above a limit: see windowsFull. The caller must not have sent the call before: Peek does not see a copy that is still in the log.
func (s *State) Peek(call *Call) (result Result, ok bool) { return s.peek(call, true) }

// PeekWithoutLastUsed is Peek for a time when nothing can be written. It also answers a call that would change only a key's lastUsedAt.
func (s *State) PeekWithoutLastUsed(call *Call) (result Result, ok bool) { return s.peek(call, false) }

func (s *State) peek(call *Call, updateLastUsed bool) (result Result, ok bool) {
	t := call.Command.is()
	root, refusal := s.admit(t, call)
	if refusal != nil {
		return refusal, true
	}
	if t.system {
		_, founded := call.Command.(*Bootstrap)
		return done, founded && s.clusterID != ""
	}
	if call.Idempotency != nil {
		return s.peekIdempotent(root, call)
	}
	if p, ok := call.Command.(peeker); ok {
		if result, ok := p.peek(s, root, updateLastUsed); ok {
			return result, true
		}
		if refusal := s.windowsFull(root, call.Command); refusal != nil {
			return refusal, true
		}
		return nil, false
	}
	return s.peekRefusal(root, call.Command)
}

// peekRefusal answers a command that would be refused.
func (s *State) peekRefusal(root *rootKey, c Command) (result Result, ok bool) {
	var refusal *Refusal
	switch c := c.(type) {
	case planner:
		_, refusal = c.plan(s, root)
	case *VerifyKeys: // every other refusal is that of an item
		refusal = c.check()
	case peeker:
		result, _ = c.peek(s, root, false)
		refusal, _ = result.(*Refusal)
	}
	if refusal == nil {
		return nil, false
	}
	return refusal, true
}

// peekIdempotent answers a call with an idempotency key. A new answer has to be stored, a denial too, but no refusal.
func (s *State) peekIdempotent(root *rootKey, call *Call) (result Result, ok bool) {
	if r := s.findReplay(root.workspace, call.Idempotency); r != nil {
		return r, true
	}
	if refusal := s.peekIdempotencyCapacity(root.workspace); refusal != nil {
		return refusal, true
	}
	if s.fullFor(root.workspace, s.lastCapacity) != nil {
		return nil, false // Apply expires records first, and then decides
	}
	if refusal := s.windowsFull(root, call.Command); refusal != nil {
		return refusal, true
	}
	return s.peekRefusal(root, call.Command)
}

// executeIdempotent executes a call unless its idempotency key has a stored answer. A refusal is not stored.
func (s *State) executeIdempotent(root *rootKey, call *Call) Result {
	if r := s.findReplay(root.workspace, call.Idempotency); r != nil {
		return r
	}
	if refusal := s.checkIdempotencyCapacity(root.workspace); refusal != nil {
		return refusal
	}
	r := s.execute(root, call.Command.is(), call)
	if _, refused := r.(*Refusal); !refused {
		s.storeAnswer(root.workspace, call.Idempotency, r)
	}
	return r
}

// applyInSession executes a call unless its call id shows that it was executed before.
//
// A call of an expired session, or below the acknowledged number, is refused and never executed: its first copy may have been.
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
		retransmitted := n.window[at] // a copy, because the window moves on
		return &retransmitted
	}
	r := s.apply(call)
	n.storeResult(at, Retransmitted{Result: r, Index: s.index})
	return r
}

// audited executes a command and adds its audit entry, unless the command is refused or changes nothing.
func (s *State) audited(event Event, root *rootKey, call *Call) Result {
	t := newAuditCollector(s.clock)
	s.collector = t
	r := s.run(call.Command, root)
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
