package fsm

import "fmt"

// Apply carries out one log entry and returns one result per call, in order. Log time advances to the batch's stamp unless it
// is there already.
//
// An unknown command type panics: the entry was committed, so skipping it would make this node differ from the others.
func (s *State) Apply(b Batch) []Result {
	s.outcomes.limit = b.MaxOutcomes
	if b.Stamp > s.clock {
		s.clock = b.Stamp
		s.sweepWindows()
		s.sweepAudit()
		s.dropOutcomes(outcomesPerEntry)
	}
	s.expireSessions()
	results := make([]Result, len(b.Calls))
	for i := range b.Calls {
		results[i] = s.once(&b.Calls[i], b.Index)
	}
	s.orderOutcomes()
	return results
}

func (s *State) apply(call *Call, index uint64) Result {
	switch c := call.Command.(type) {
	case *Bootstrap:
		return s.bootstrap(c)
	case *OpenSession:
		return s.openSession(c)
	}
	root, refusal := s.authenticate(call.Actor)
	if refusal != nil {
		return refusal
	}
	return s.performOnce(root, call, index)
}

// perform carries out a call of a caller who is authenticated, and leaves its audit entry.
func (s *State) perform(root *rootKey, call *Call, index uint64) Result {
	if c, ok := call.Command.(*VerifyKey); ok { // as most are: asking twice for its type shows
		return s.verifyKey(root, c, nil, new(Verdict))
	}
	if event, _ := EventOf(call.Command); event != Unaudited {
		return s.audited(event, root, call, index)
	}
	return s.execute(root, call.Command, index)
}

// execute carries out a command other than VerifyKey.
func (s *State) execute(root *rootKey, command Command, index uint64) Result {
	switch c := command.(type) {
	case *VerifyKeys:
		return s.verifyKeys(root, c, index)
	case *UpdateKeyCredits:
		return s.updateKeyCredits(root, c)
	case *UpdateIdentityCredits:
		return s.updateIdentityCredits(root, c)
	case *CreateKey:
		return s.createKey(root, c)
	case *UpdateKey:
		return s.updateKey(root, c)
	case *DeleteKey:
		return s.deleteKey(root, c)
	case *CreateIdentity:
		return s.createIdentity(root, c)
	case *UpdateIdentity:
		return s.updateIdentity(root, c)
	case *DeleteIdentity:
		return s.deleteIdentity(root, c)
	case *CreateAPI:
		return s.createAPI(root, c)
	case *CreateRootKey:
		return s.createRootKey(root, c)
	case *CreateWorkspace:
		return s.createWorkspace(root, c)

	case *DeleteAPI:
		return s.deleteAPI(root, c)
	case *RevokeRootKey:
		return s.revokeRootKey(root, c)
	case *UpdateWorkspace:
		return s.updateWorkspace(root, c)
	case *RerollKey:
		return s.rerollKey(root, c)
	case *CreateMigration:
		return s.createMigration(root, c)
	case *MigrateKeys:
		return s.migrateKeys(root, c)
	case *VerifyMigrated:
		return s.verifyMigrated(root, c, nil, new(Verdict))

	case *CreatePermission:
		return s.createPermission(root, c)
	case *DeletePermission:
		return s.deletePermission(root, c)
	case *CreateRole:
		return s.createRole(root, c)
	case *DeleteRole:
		return s.deleteRole(root, c)
	case *SetRolePermissions:
		return s.setRolePermissions(root, c)
	case *LinkKeyPermissions:
		return s.linkKeyPermissions(root, c)
	case *LinkKeyRoles:
		return s.linkKeyRoles(root, c)

	case *Limit:
		return s.takeTokens(root, c)
	case *SetOverride:
		return s.setOverride(root, c)
	case *DeleteOverride:
		return s.deleteOverride(root, c)
	default:
		panic(fmt.Sprintf("fsm: committed command of unknown type %T", c))
	}
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
	switch call.Command.(type) {
	case *Bootstrap:
		return done, s.clusterID != ""
	case *OpenSession:
		return nil, false
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
