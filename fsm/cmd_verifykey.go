package fsm

import (
	"errors"
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// VerifyKey checks whether a key is valid and may spend Cost credits, and debits them if so. See contract 3.
type VerifyKey struct {
	Hash       Hash
	Cost       int64
	Ratelimits []RatelimitCheck
	Query      string // a permission query; empty: none. See contract 3.5
}

// RatelimitCheck is the check of one rate limit by a verification. See contract 3.6.
type RatelimitCheck struct {
	Name string
	Cost int64
	// AdHoc: Limit and Duration replace those of a configured rate limit of that name.
	AdHoc    bool
	Limit    int64
	Duration int64 // ms
}

// verifyKeyNewest is newest of every type that shows the fields of VerifyKey. VerifyMigrated does too.
const verifyKeyNewest = 0

var (
	verifyKeyType         = commandType{kind: 13, since: 1, newest: verifyKeyNewest, unaudited: true, create: newVerifyKey}
	verifyKeyExtendedType = commandType{kind: 30, since: 1, newest: verifyKeyNewest, unaudited: true, create: newVerifyKey} // has a query or rate limits
)

func (c *VerifyKey) is() *commandType {
	if c.Query == "" && len(c.Ratelimits) == 0 {
		return &verifyKeyType
	}
	return &verifyKeyExtendedType
}

// Verifications is memory for the verifications of batches, because batches consist mostly of them: the Pool of a visitor that reads one.
type Verifications struct {
	group []VerifyKey
	used  int // of the group
}

// largestGroup is how many verifications are allocated at once.
const largestGroup = 1024

func (p *Verifications) next() *VerifyKey {
	if p.used == len(p.group) {
		p.group, p.used = make([]VerifyKey, min(max(1, 2*len(p.group)), largestGroup)), 0
	}
	p.used++
	return &p.group[p.used-1]
}

// Reset makes the memory free for other verifications. Nothing may use those that had it.
func (p *Verifications) Reset() {
	clear(p.group[:p.used])
	p.used = 0
}

func newVerifyKey(v *fields.Visitor) Command {
	if pool, ok := v.Pool.(*Verifications); ok {
		return pool.next()
	}
	return new(VerifyKey)
}

// The bits of the byte that says which fields follow in a verification of the extended kind.
const (
	withQuery byte = 1 << iota
	withRatelimits
)

func (c *VerifyKey) fields(v *fields.Visitor) {
	c.Hash.fields(v)
	v.Int(&c.Cost)
	if v.Kind == verifyKeyType.kind {
		return
	}
	var flags byte
	if c.Query != "" {
		flags |= withQuery
	}
	if len(c.Ratelimits) > 0 {
		flags |= withRatelimits
	}
	if v.Byte(&flags); flags == 0 || flags > withQuery|withRatelimits {
		v.Fail(fmt.Errorf("a verification has the flags %08b", flags))
		return
	}
	if flags&withQuery != 0 {
		if v.String(&c.Query); c.Query == "" {
			v.Fail(errors.New("the query is empty"))
		}
	}
	if flags&withRatelimits != 0 {
		if fields.List(v, &c.Ratelimits, (*RatelimitCheck).fields); len(c.Ratelimits) == 0 {
			v.Fail(errors.New("a verification with rate limits has none"))
		}
	}
}

func (c *RatelimitCheck) fields(v *fields.Visitor) {
	v.String(&c.Name)
	v.Int(&c.Cost)
	v.Bool(&c.AdHoc)
	if c.AdHoc {
		v.Int(&c.Limit)
		v.Int(&c.Duration)
	}
}

func (c *VerifyKey) apply(s *State, root *rootKey) Result {
	return s.verifyKey(root, c, nil, new(Verdict))
}

// check validates the fields of a verification, whatever the key.
func (c *VerifyKey) check() *Refusal {
	if c.Cost < 0 {
		return invalid("credits.cost must not be negative")
	}
	return c.checkRequested()
}

// checkRequested validates the rate limits that a verification names [D-13].
func (c *VerifyKey) checkRequested() *Refusal {
	for i := range c.Ratelimits {
		switch r := &c.Ratelimits[i]; {
		case r.Cost < 0 || r.AdHoc && r.Limit < 0:
			return invalid("ratelimits: cost and limit of '" + r.Name + "' must not be negative")
		case r.AdHoc && r.Duration < minDuration:
			return invalid("ratelimits: the duration of '" + r.Name + "' must be at least 1000")
		}
	}
	return nil
}

func (c *VerifyKey) peek(s *State, root *rootKey, updateLastUsed bool) (Result, bool) {
	d, refusal := s.decide(root, c, nil)
	if refusal != nil {
		return refusal, true
	}
	if s.changes(&d, updateLastUsed) {
		return nil, false
	}
	return d.verdict(s.clock), true
}
