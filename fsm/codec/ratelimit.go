package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// The command kinds of rate limits. Their numbers are in logs: append only.
const (
	// verifyKeyWithKind is a verification that asks for more than most do. The others keep their short form.
	verifyKeyWithKind byte = iota + 50
	limitKind
	setOverrideKind
	deleteOverrideKind
)

// The result kinds of rate limits. Their numbers travel between nodes: append only.
const (
	limitedKind byte = iota + 50
	overrideKind
	overridesKind
)

// verifyWith are the bits of the byte that says what a verification of verifyKeyWithKind has.
const withRatelimits byte = 1

// verifyKey codes a verification; with: a reader found it to be of verifyKeyWithKind.
func (c *coder) verifyKey(m *fsm.VerifyKey, with bool) {
	if !c.reading {
		with = len(m.Ratelimits) > 0
	}
	if !with {
		c.kind(verifyKeyKind)
		c.hash(&m.Hash)
		c.int(&m.Cost)
		return
	}
	c.kind(verifyKeyWithKind)
	c.hash(&m.Hash)
	c.int(&m.Cost)
	flags := withRatelimits
	if c.byte(&flags); flags != withRatelimits {
		c.fail(fmt.Errorf("a verification has the flags %08b", flags))
		return
	}
	list(c, &m.Ratelimits, func(r *fsm.RatelimitCheck) {
		c.string(&r.Name)
		c.int(&r.Cost)
		c.bool(&r.AdHoc)
		if r.AdHoc {
			c.int(&r.Limit)
			c.int(&r.Duration)
		}
	})
	if len(m.Ratelimits) == 0 {
		c.fail(fmt.Errorf("a verification with rate limits has none"))
	}
}

// list codes a list of which each element takes at least one byte.
func list[T any](c *coder, p *[]T, element func(*T)) {
	n := c.length(len(*p))
	if c.reading && n > 0 {
		*p = make([]T, n)
	}
	for i := range n {
		if c.err != nil {
			return
		}
		element(&(*p)[i])
	}
}

// assigned fails for a number that lies in a gap of an enumeration.
func assigned[T any](c *coder, v T, ok bool) {
	if ok {
		return
	}
	err := fmt.Errorf("%T %v is not assigned", v, v)
	if !c.reading {
		panic("codec: " + err.Error())
	}
	c.fail(err)
}

func (c *coder) ratelimits(p *[]fsm.Ratelimit) { list(c, p, c.ratelimit) }

func (c *coder) ratelimit(m *fsm.Ratelimit) {
	c.string(&m.ID)
	c.string(&m.Name)
	c.int(&m.Limit)
	c.int(&m.Duration)
	c.bool(&m.AutoApply)
}

func (c *coder) ratelimitStates(p *[]fsm.RatelimitState) {
	list(c, p, func(m *fsm.RatelimitState) {
		c.ratelimit(&m.Ratelimit)
		c.int(&m.Reset)
		c.int(&m.Remaining)
		c.bool(&m.Exceeded)
	})
}

func (c *coder) windowRecord(r *fsm.WindowRecord) {
	enum(c, &r.Scope, fsm.KeyScope, fsm.NamespaceScope)
	c.string(&r.Owner)
	c.string(&r.Name)
	c.int(&r.Duration)
	c.int(&r.Sequence)
	c.int(&r.Current)
	c.int(&r.Previous)
}

func (c *coder) limit(m *fsm.Limit) {
	list(c, &m.Requests, func(r *fsm.LimitRequest) {
		c.string(&r.Namespace)
		c.string(&r.NamespaceID)
		c.string(&r.Identifier)
		c.int(&r.Limit)
		c.int(&r.Duration)
		c.int(&r.Cost)
	})
}

func (c *coder) setOverride(m *fsm.SetOverride) {
	c.string(&m.ID)
	c.string(&m.Namespace)
	c.string(&m.Identifier)
	c.int(&m.Limit)
	c.int(&m.Duration)
}

func (c *coder) limited(m *fsm.Limited) {
	c.bool(&m.Passed)
	list(c, &m.Requests, func(r *fsm.LimitedRequest) {
		c.bool(&r.Passed)
		c.int(&r.Limit)
		c.int(&r.Remaining)
		c.int(&r.Reset)
		c.string(&r.OverrideID)
	})
}

func (c *coder) override(m *fsm.Override) {
	c.string(&m.ID)
	c.string(&m.Identifier)
	c.int(&m.Limit)
	c.int(&m.Duration)
}

func (c *coder) namespaceRecord(r *fsm.NamespaceRecord) {
	c.string(&r.ID)
	c.string(&r.Name)
	c.string(&r.WorkspaceID)
	c.int(&r.CreatedAt)
	c.bool(&r.Deleted)
}

func (c *coder) overrideRecord(r *fsm.OverrideRecord) {
	c.string(&r.ID)
	c.string(&r.NamespaceID)
	c.string(&r.Identifier)
	c.int(&r.Limit)
	c.int(&r.Duration)
	c.int(&r.CreatedAt)
}
