package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// VerifyMigrated verifies a key that the ledger may know only by its hash in another system. See contract 3.3.
type VerifyMigrated struct {
	Verify      VerifyKey
	MigrationID string
	Hash        Hash   // the hash in the other system; zero: the key does not have the form of PrefixedAPIKey
	Start       string // the first characters, which the ledger keeps from then on
}

var verifyMigratedType = commandType{kind: 26, since: 1, newest: verifyKeyNewest, unaudited: true, create: create[VerifyMigrated]}

func (*VerifyMigrated) is() *commandType { return &verifyMigratedType }

// fields writes the kind of the inner verification before its fields.
func (c *VerifyMigrated) fields(v *fields.Visitor) {
	kind, form := v.Form()
	inner := c.Verify.is().kind
	if v.Byte(&inner); inner != verifyKeyType.kind && inner != verifyKeyExtendedType.kind {
		v.Fail(fmt.Errorf("a migrated key is verified by a command of kind %d", inner))
		return
	}
	v.SetForm(inner, form)
	c.Verify.fields(v)
	v.SetForm(kind, form)
	v.String(&c.MigrationID)
	c.Hash.fields(v)
	v.String(&c.Start)
}

func (c *VerifyMigrated) apply(s *State, root *rootKey) Result {
	return s.verifyMigrated(root, c, nil, new(Verdict))
}

// verifyMigrated stores the key under the hash of its full text with the first verification that is valid; below ledger version 2, with the
// first one. A refusal changes nothing.
func (s *verifier) verifyMigrated(root *rootKey, c *VerifyMigrated, pending *pendingEffects, v *Verdict) Result {
	d, refusal, k := s.planMigratedKey(root, c, pending)
	if refusal != nil {
		return refusal
	}
	if k != nil {
		s.rehash(k, c.Verify.Hash, c.Start)
	}
	s.executeDecision(&d)
	d.show(v, s.clock)
	return v
}

// planMigratedKey decides a verification and returns the key that it would rehash, or nil.
func (s *verifier) planMigratedKey(root *rootKey, c *VerifyMigrated, pending *pendingEffects) (decision, *Refusal, *key) {
	if refusal := s.malformed(root, c, pending); refusal != nil {
		return decision{}, refusal, nil
	}
	k := s.migrating(root, c, pending)
	if k == nil {
		d, refusal := s.decide(root, &c.Verify, pending)
		return d, refusal, nil
	}
	if refusal := c.Verify.check(); refusal != nil {
		return decision{}, refusal, nil
	}
	d, refusal := s.decideOn(k, &c.Verify, pending)
	if refusal != nil {
		return decision{}, refusal, nil
	}
	if d.code != Valid && s.version >= secondRules {
		k = nil // only who may use the key binds it to a text [D-27]
	}
	return d, nil, k
}

// migrating finds the key that a verification would rehash, after the pending effects. It changes nothing.
func (s *verifier) migrating(root *rootKey, c *VerifyMigrated, pending *pendingEffects) *key {
	m := s.migrations[migrationRef{root.workspace.id, c.MigrationID}]
	if m == nil || m.algorithm != PrefixedAPIKey ||
		s.rootByHash[c.Verify.Hash] != nil || s.keyAfter(c.Verify.Hash, pending) != nil {
		return nil
	}
	k := visible(root, s.keyAfter(c.Hash, pending))
	if k == nil || !root.may(VerifyKeyPermission, k.api.id) {
		return nil
	}
	return k
}

// malformed refuses a key whose form no key of the migration has, unless the ledger knows the key by its full hash. A key that the caller
// may not verify counts as unknown. It changes nothing.
func (s *verifier) malformed(root *rootKey, c *VerifyMigrated, pending *pendingEffects) *Refusal {
	if c.Hash != (Hash{}) {
		return nil
	}
	m := s.migrations[migrationRef{root.workspace.id, c.MigrationID}]
	if m == nil || m.algorithm != PrefixedAPIKey {
		return nil
	}
	if k := visible(root, s.keyAfter(c.Verify.Hash, pending)); k != nil && root.may(VerifyKeyPermission, k.api.id) {
		return nil
	}
	if refusal := c.Verify.check(); refusal != nil {
		return refusal
	}
	return refuse(KeyMalformed)
}

func (ring *keyring) rehash(k *key, hash Hash, start string) {
	ring.beforeChange(k)
	ring.release(k)
	if ring.version >= secondRules {
		k.takeOver(k.hash)
	}
	k.hash, k.start = hash, start
	ring.claim(k)
	ring.afterChange(k)
}

// peek answers no verification that would rehash a key.
func (c *VerifyMigrated) peek(s *State, root *rootKey, updateLastUsed bool) (Result, bool) {
	d, refusal, k := s.planMigratedKey(root, c, nil)
	if refusal != nil {
		return refusal, true
	}
	if k != nil || s.changes(&d, updateLastUsed) {
		return nil, false
	}
	return d.verdict(s.clock), true
}
