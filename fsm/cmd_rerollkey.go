package fsm

import (
	"slices"

	"github.com/creditd/creditd/fsm/fields"
)

// RerollKey creates a key that equals the old one except for its secret, and ends the old one. See contract 2.3.
type RerollKey struct {
	KeyID      string
	NewID      string
	Hash       Hash // of the new key
	Start      string
	Expiration int64 // ms from now until the old key ends
	// RatelimitIDs are ids for the rate limits of the new key, at least as many as the old key has.
	RatelimitIDs []string
	Nonce        ShortHash // since ledger version 3: see Created
}

var rerollKeyType = commandType{kind: 23, since: 1, newest: 3, event: KeyRerolled, create: create[RerollKey]}

func (*RerollKey) is() *commandType { return &rerollKeyType }

func (c *RerollKey) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	v.String(&c.NewID)
	c.Hash.fields(v)
	v.String(&c.Start)
	v.Int(&c.Expiration)
	v.Strings(&c.RatelimitIDs)
	visitNonce(&c.Nonce, v)
}

// plan makes a copy with the balance and the rate limits. Until the old key expires, each key uses its own.
func (c *RerollKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	old, refusal := s.permittedKey(root, c.KeyID, CreateKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	if c.Expiration < 0 || c.Expiration > maxExpiration {
		return nil, invalid("expiration is not between 0 and 4102444800000 ms")
	}
	if s.keys.find(c.NewID) != nil || s.hashTaken(c.Hash) || len(c.RatelimitIDs) < len(old.ratelimits()) {
		return nil, refuse(IDTaken)
	}
	if refusal := root.workspace.room(Usage{KeysQuota: 1}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		k := &key{
			id: c.NewID, hash: c.Hash, start: c.Start, api: old.api, identity: old.identity,
			createdAt: s.clock, expires: old.expires, enabled: old.enabled, lost: old.lost,
		}
		if old.details != nil {
			d := *old.details
			d.former = nil // its own secret came from no other system
			d.ratelimits = slices.Clone(d.ratelimits)
			for i := range d.ratelimits {
				d.ratelimits[i].ID = c.RatelimitIDs[i]
			}
			k.replaceDetails(d)
		}
		if given := k.access(); s.version >= fifthRules && given.hides() {
			given = given.live()
			k.give(given.permissions, given.roles)
		}
		s.addKey(k)
		if from := old.credit; from.limited() {
			s.makeLimited(k.ownCredit(), from.balance(s.clock), from.refill)
			s.beforeChange(k.credit)
			k.credit.refilledAt = from.refilled(s.clock)
			s.afterChange(k.credit)
		}
		s.beforeChange(old)
		old.expires = min(old.expires, s.endAfter(c.Expiration))
		s.afterChange(old)
		return &Rerolled{ID: k.id, Start: k.start, Nonce: c.Nonce}
	}, nil
}

// endAfter is the expiry of a key that ends after so many ms. A key is valid at its expiry, and log time may stand still, so an end now is
// in the past [D-26].
func (s *State) endAfter(expiration int64) int64 {
	switch {
	case expiration > 0:
		return nextMinute(s.clock + expiration)
	case s.version >= secondRules:
		return s.clock - 1
	default:
		return s.clock
	}
}

// maxExpiration is the longest time that an old key may stay valid. See contract 1.10.
const maxExpiration = 4_102_444_800_000

// nextMinute rounds a time up to a full minute.
func nextMinute(at int64) int64 {
	const minute = 60_000
	return (at + minute - 1) / minute * minute
}
