package fsm

import "fmt"

// Apply carries out one log entry and returns one result per call, in order. Log time advances to the batch's stamp unless it
// is there already.
//
// An unknown command type panics: the entry was committed, so skipping it would make this node differ from the others.
func (s *State) Apply(b Batch) []Result {
	s.clock = max(s.clock, b.Stamp)
	results := make([]Result, len(b.Calls))
	for i := range b.Calls {
		results[i] = s.apply(&b.Calls[i])
	}
	return results
}

func (s *State) apply(call *Call) Result {
	if c, ok := call.Command.(*Bootstrap); ok {
		return s.bootstrap(c)
	}
	root, refusal := s.authenticate(call.Actor)
	if refusal != nil {
		return refusal
	}
	switch c := call.Command.(type) {
	case *VerifyKey:
		return s.verifyKey(root, c)
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
		return s.verifyMigrated(root, c)
	default:
		panic(fmt.Sprintf("fsm: committed command of unknown type %T", c))
	}
}

// Peek answers a call without carrying it out, if carrying it out would change nothing. The answer is the one that Apply would
// give at the present log time; ok false says that the call has to go through the log.
//
// It lets a flood of denied verifications, and of calls with unknown root keys, be served as reads.
func (s *State) Peek(call *Call) (result Result, ok bool) {
	if _, bootstrap := call.Command.(*Bootstrap); bootstrap {
		return done, s.clusterID != ""
	}
	root, refusal := s.authenticate(call.Actor)
	if refusal != nil {
		return refusal, true
	}
	c, verify := call.Command.(*VerifyKey)
	if m, ok := call.Command.(*VerifyMigrated); ok && s.migrating(root, m) == nil {
		c, verify = &m.Verify, true
	}
	if verify {
		d, refusal := s.decide(root, c)
		if refusal != nil {
			return refusal, true
		}
		if !d.charges() {
			return d.verdict(), true
		}
	}
	return nil, false
}
