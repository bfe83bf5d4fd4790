package codec

import (
	"errors"
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// The command kinds of rate limits. Their numbers are in logs: append only.
const (
	limitKind byte = iota + 50
	setOverrideKind
	deleteOverrideKind
)

// The result kinds of rate limits. Their numbers travel between nodes: append only.
const (
	limitedKind byte = iota + 50
	overrideKind
	overridesKind
)

// The bits of the byte that says what follows in a verification of verifyKeyExtendedKind.
const (
	withQuery byte = 1 << iota
	withRatelimits
)

// verifyKey codes a verification; extended: a reader found it to be of verifyKeyExtendedKind. The others keep their short form.
func (c *coder) verifyKey(m *fsm.VerifyKey, extended bool) {
	var flags byte
	if m.Query != "" {
		flags |= withQuery
	}
	if len(m.Ratelimits) > 0 {
		flags |= withRatelimits
	}
	if extended = extended || flags != 0; !extended {
		c.kind(verifyKeyKind)
		c.hash(&m.Hash)
		c.int(&m.Cost)
		return
	}
	c.kind(verifyKeyExtendedKind)
	c.hash(&m.Hash)
	c.int(&m.Cost)
	if c.byte(&flags); flags == 0 || flags > withQuery|withRatelimits {
		c.fail(fmt.Errorf("a verification has the flags %08b", flags))
		return
	}
	if flags&withQuery != 0 {
		if c.string(&m.Query); m.Query == "" {
			c.fail(errors.New("the query is empty"))
		}
	}
	if flags&withRatelimits != 0 {
		if list(c, &m.Ratelimits, c.ratelimitCheck); len(m.Ratelimits) == 0 {
			c.fail(errors.New("a verification with rate limits has none"))
		}
	}
}

func (c *coder) ratelimitCheck(m *fsm.RatelimitCheck) {
	c.string(&m.Name)
	c.int(&m.Cost)
	c.bool(&m.AdHoc)
	if m.AdHoc {
		c.int(&m.Limit)
		c.int(&m.Duration)
	}
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
