package fsm

// lastUsedSlack is how far a key's lastUsedAt may lag behind its last verification, in ms. So a busy key is written once a minute for it,
// and not with every verification. See contract 2.0.
const lastUsedSlack = 60_000

// verifier decides and executes verifications.
type verifier struct {
	*core
	*tenancy
	*keyring
	*accounts
	*rateLimits
	*idempotencyStore
}

// payers are the balances that a verification debits: none, one, or both of a key and its identity.
type payers struct{ first, second *credit }

// payersOf returns the balances that pay for a key. See contract 4.8.
func payersOf(k *key) payers {
	if k.orphaned() {
		return payers{first: nothing()}
	}
	i := k.liveIdentity()
	if i == nil || !i.credit.limited() {
		return singlePayer(k.credit)
	}
	if !k.credit.limited() {
		return singlePayer(i.credit)
	}
	switch i.policy {
	case KeyPays:
		return singlePayer(k.credit)
	case BothPay:
		return payers{i.credit, k.credit}
	default:
		return singlePayer(i.credit)
	}
}

func singlePayer(c *credit) payers {
	if !c.limited() {
		return payers{}
	}
	return payers{first: c}
}

// remaining is the smallest balance of the payers.
func (p payers) remaining(now int64) int64 {
	r := p.first.balance(now)
	if p.second != nil {
		r = min(r, p.second.balance(now))
	}
	return r
}

// decision is a decided verification, before anything is debited.
type decision struct {
	code      VerdictCode
	key       *key // nil for NotFound
	payers    payers
	cost      int64
	remaining int64 // of the payers, before the debit
	limits    []limitCheck
	access    *VerdictAccess // set if a query needed it
	queried   bool
	links     int             // how many permissions the verdict shows: see permissionNames
	pending   *pendingEffects // of earlier items of the batch; nil: no batch
	cancelled bool            // the batch does not pass, so nothing is executed
}

// debits reports whether executing the decision changes a balance.
func (d *decision) debits() bool { return d.code == Valid && d.payers.first != nil && d.cost > 0 }

// changes reports whether executing the decision changes the ledger. With updateLastUsed, a new lastUsedAt is a change.
func (s *verifier) changes(d *decision, updateLastUsed bool) bool {
	return d.debits() || d.takes() || updateLastUsed && s.lastUsedDue(d.key)
}

// decide runs the checks of a verification in the order of contract 3.3, as if the pending effects had happened. It changes nothing.
func (s *verifier) decide(root *rootKey, c *VerifyKey, pending *pendingEffects) (decision, *Refusal) {
	if refusal := c.check(); refusal != nil {
		return decision{}, refusal
	}
	k := visible(root, s.keyAfter(c.Hash, pending))
	if k == nil || !root.may(VerifyKeyPermission, k.api.id) {
		return decision{code: NotFound}, nil
	}
	return s.decideOn(k, c, pending)
}

// decideOn decides about a key that the caller may verify.
func (s *verifier) decideOn(k *key, c *VerifyKey, pending *pendingEffects) (decision, *Refusal) {
	d := decision{code: Valid, key: k, payers: payersOf(k), cost: c.Cost, pending: pending, links: s.shownLinks()}
	permitted := true
	if c.Query != "" { // a query error comes before the state of the key: contract 3.3
		var refusal *Refusal
		if s.version >= thirdRules && k.access().held() > manyPermissions {
			permitted, refusal = s.permits(k, c.Query, pending)
		} else { // the verdict needs the sorted list in any case
			d.access, d.queried = pending.accessOf(k, d.links), true
			permitted, refusal = d.access.satisfies(c.Query)
		}
		if refusal != nil {
			return decision{}, refusal
		}
	}
	if d.payers.first != nil {
		d.remaining = d.payers.remaining(s.clock)
		if pending != nil {
			d.remaining = pending.remaining(d.payers, s.clock)
		}
	}
	switch {
	case !k.enabled:
		d.code = Disabled
	case s.clock > k.expires:
		d.code = Expired
	case !permitted:
		d.code = NotPermitted
	}
	if d.code == Valid && k.hasRatelimits(c) {
		if refusal := s.checkLimits(&d, c); refusal != nil {
			return decision{}, refusal
		}
	}
	if d.code == Valid && d.payers.first != nil && d.remaining < c.Cost {
		d.code = UsageExceeded
	}
	return d, nil
}

// permits evaluates a permission query by looking up each operand. It depends on all permissions of the key, and sorts nothing.
func (s *verifier) permits(k *key, query string, pending *pendingEffects) (bool, *Refusal) {
	held := k.access()
	return evaluate(query, func(operand string) bool {
		pending.spend(lookupWork * (1 + len(held.roles)))
		return s.keyring.access.holds(k.api.workspace, held, operand)
	})
}

// verifyKey decides and debits in one step, so that n credits at cost c admit exactly n/c calls. It returns v or a refusal.
func (s *verifier) verifyKey(root *rootKey, c *VerifyKey, pending *pendingEffects, v *Verdict) Result {
	d, refusal := s.decide(root, c, pending)
	if refusal != nil {
		return refusal
	}
	s.executeDecision(&d)
	d.show(v, s.clock)
	return v
}

// executeDecision takes the decided tokens and credits, and updates the key's lastUsedAt.
func (s *verifier) executeDecision(d *decision) {
	if d.takes() {
		s.takeLimits(d)
	}
	if d.debits() {
		s.debit(d.payers.first, d.cost)
		if d.payers.second != nil {
			s.debit(d.payers.second, d.cost)
		}
		d.remaining -= d.cost
	}
	if s.lastUsedDue(d.key) {
		s.beforeChange(d.key)
		d.key.lastUsedAt = s.clock
		s.afterChange(d.key)
	}
}

// lastUsedDue reports whether a verification of the key updates its lastUsedAt; k may be nil.
func (s *verifier) lastUsedDue(k *key) bool { return k != nil && s.clock-k.lastUsedAt >= lastUsedSlack }

// verdict returns the answer of the decision. See contract 3.7.
func (d *decision) verdict(now int64) *Verdict {
	v := new(Verdict)
	d.show(v, now)
	return v
}

func (d *decision) show(v *Verdict, now int64) {
	k := d.key
	if k == nil {
		*v = Verdict{Code: d.code}
		return
	}
	access := d.access
	if !d.queried {
		access = d.pending.accessOf(k, d.links)
	}
	*v = Verdict{
		Code: d.code, Enabled: k.enabled, Limited: d.payers.first != nil, Credits: d.remaining, Expires: k.expires,
		KeyID: k.id, Name: k.name(), Meta: k.meta(), Access: access, Ratelimits: d.ratelimits(now),
	}
	if c := d.payers.first; c != nil {
		v.nextVerdict = c.nextCredit.verdict()
	}
	if i := k.liveIdentity(); i != nil {
		v.Identity = &VerdictIdentity{ID: i.id, ExternalID: i.externalID, Meta: i.meta, Ratelimits: i.shownTo(k)}
	}
}
