package fsm

import "fmt"

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
	c, verify := call.Command.(*VerifyKey)
	if m, ok := call.Command.(*VerifyMigrated); ok {
		if refusal := s.malformed(root, m, nil); refusal != nil {
			return refusal, true
		}
		if s.migrating(root, m, nil) == nil {
			c, verify = &m.Verify, true
		}
	}
	if verify {
		d, refusal := s.decide(root, c, nil)
		if refusal != nil {
			return refusal, true
		}
		if !d.charges() && !d.takes() && !(dating && s.dates(d.key)) {
			return d.verdict(s.clock), true
		}
	}
	if c, many := call.Command.(*VerifyKeys); many {
		return s.peekKeys(root, c, dating)
	}
	if c, limits := call.Command.(*Limit); limits {
		p, refusal := s.planLimit(root, c)
		if refusal != nil && (refusal.Code != IDTaken || !c.creates()) {
			return refusal, true
		}
		if refusal == nil && !p.changes() {
			return p.answer(s.clock), true
		}
	}
	return nil, false
}
