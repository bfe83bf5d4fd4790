package codec

import "github.com/creditd/creditd/fsm"

// The fields of commands. Each function codes one type, in both directions.

func (c *coder) slugRef(m *fsm.SlugRef) {
	c.string(&m.Slug)
	c.string(&m.ID)
}

func (c *coder) bootstrap(m *fsm.Bootstrap) {
	c.string(&m.ClusterID)
	c.string(&m.WorkspaceID)
	c.string(&m.WorkspaceName)
	c.string(&m.RootKeyID)
	c.hash(&m.RootKeyHash)
}

func (c *coder) createRootKey(m *fsm.CreateRootKey) {
	c.string(&m.ID)
	c.hash(&m.Hash)
	c.string(&m.Name)
	c.string(&m.WorkspaceID)
	c.strings(&m.Permissions)
	c.int(&m.Expires)
}

func (c *coder) createKey(m *fsm.CreateKey) {
	c.string(&m.ID)
	c.hash(&m.Hash)
	c.string(&m.Start)
	c.string(&m.APIID)
	c.string(&m.Name)
	c.string(&m.ExternalID)
	c.string(&m.IdentityID)
	c.string(&m.Meta)
	c.int(&m.Expires)
	c.bool(&m.Enabled)
	c.bool(&m.Recoverable)
	c.newCredits(&m.Credits)
	list(c, &m.Permissions, c.slugRef)
	c.strings(&m.Roles)
	c.ratelimits(&m.Ratelimits)
}

func (c *coder) updateKey(m *fsm.UpdateKey) {
	c.string(&m.KeyID)
	field(c, &m.Name, c.string)
	field(c, &m.ExternalID, c.string)
	c.string(&m.IdentityID)
	field(c, &m.Meta, c.string)
	field(c, &m.Expires, c.int)
	field(c, &m.Enabled, c.bool)
	c.creditsChange(&m.Credits)
	field(c, &m.Permissions, func(p *[]fsm.SlugRef) { list(c, p, c.slugRef) })
	field(c, &m.Roles, c.strings)
	field(c, &m.Ratelimits, c.ratelimits)
}

func (c *coder) createIdentity(m *fsm.CreateIdentity) {
	c.string(&m.ID)
	c.string(&m.ExternalID)
	c.string(&m.Meta)
	c.newCredits(&m.Credits)
	enum(c, &m.Policy, fsm.IdentityPays, fsm.BothPay)
	c.ratelimits(&m.Ratelimits)
}

func (c *coder) updateIdentity(m *fsm.UpdateIdentity) {
	c.string(&m.Identity)
	field(c, &m.Meta, c.string)
	c.creditsChange(&m.Credits)
	field(c, &m.Policy, func(p *fsm.Policy) { enum(c, p, fsm.IdentityPays, fsm.BothPay) })
	field(c, &m.Ratelimits, c.ratelimits)
}

func (c *coder) newCredits(m *fsm.NewCredits) {
	c.bool(&m.Limited)
	c.int(&m.Remaining)
	c.refill(&m.Refill)
}

func (c *coder) creditsChange(m *fsm.CreditsChange) {
	c.bool(&m.Unlimited)
	field(c, &m.Remaining, c.int)
	field(c, &m.Refill, c.refill)
}

func (c *coder) balanceChange(m *fsm.BalanceChange) {
	enum(c, &m.Op, fsm.SetBalance, fsm.Decrement)
	c.bool(&m.Limited)
	c.int(&m.Value)
}

func (c *coder) refill(m *fsm.Refill) {
	enum(c, &m.Interval, fsm.NoRefill, fsm.Monthly)
	if m.Interval == fsm.NoRefill {
		return
	}
	c.int(&m.Amount)
	enum(c, &m.Day, 0, 31)
}
