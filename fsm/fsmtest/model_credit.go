package fsmtest

import (
	"math"
	"time"

	"github.com/creditd/creditd/fsm"
)

// account is a credit record, or with limited false the absence of one.
type account struct {
	limited    bool
	remaining  int64
	refill     fsm.Refill
	refilledAt int64 // Unix ms, 0: never
}

// midnight is contract 4.3: what the start of a day does to a record.
func (a *account) midnight(day time.Time) {
	if !a.limited || !due(a.refill, day) {
		return
	}
	if a.remaining < a.refill.Amount {
		a.remaining = a.refill.Amount
		a.refilledAt = day.UnixMilli()
	}
}

// due reports whether a refill is due on a day: monthly on its day, or on the last day of a month that is too short.
func due(r fsm.Refill, day time.Time) bool {
	switch r.Interval {
	case fsm.Daily:
		return true
	case fsm.Monthly:
		lastOfMonth := day.AddDate(0, 0, 1).Day() == 1
		return day.Day() == int(r.Day) || lastOfMonth && int(r.Day) > day.Day()
	default:
		return false
	}
}

func (a account) shown() fsm.Credits {
	if !a.limited {
		return fsm.Credits{}
	}
	return fsm.Credits{Limited: true, Remaining: a.remaining, Refill: a.refill}
}

// opened is contract 4.2; ok false is a 400.
func opened(n fsm.NewCredits) (a account, ok bool) {
	refill := n.Refill
	switch {
	case !n.Limited:
		return account{}, refill.Interval == fsm.NoRefill
	case refill.Interval == fsm.Monthly && refill.Day == 0:
		return account{}, false
	case refill.Interval == fsm.Daily:
		refill.Day = 0
	}
	return account{limited: true, remaining: n.Remaining, refill: refill}, true
}

// updated is contract 4.5; ok false is a 400.
func (a account) updated(c fsm.CreditsChange) (after account, ok bool) {
	if c == (fsm.CreditsChange{}) {
		return a, true
	}
	if c.Unlimited {
		return account{}, true
	}
	r := c.Refill.Value
	if c.Refill.State == fsm.Given {
		if r.Interval == fsm.Monthly && r.Day == 0 || r.Interval == fsm.Daily && r.Day != 0 {
			return a, false
		}
	}
	switch c.Remaining.State {
	case fsm.Null:
		return account{}, c.Refill.State != fsm.Given
	case fsm.Given:
		a.limited = true
		a.remaining = c.Remaining.Value
	}
	switch c.Refill.State {
	case fsm.Null:
		a.refill = fsm.Refill{}
	case fsm.Given:
		if !a.limited {
			return a, false
		}
		a.refill = r
	}
	return a, true
}

// moved is contract 4.4; ok false is a 400.
func (a account) moved(c fsm.BalanceChange) (after account, ok bool) {
	if c.Op == fsm.SetBalance {
		if !c.Limited {
			return account{}, true
		}
		a.limited, a.remaining = true, c.Value
		return a, true
	}
	if !c.Limited || !a.limited {
		return a, false
	}
	if c.Op == fsm.Increment {
		if a.remaining > math.MaxInt64-c.Value {
			return a, false
		}
		a.remaining += c.Value
		return a, true
	}
	if c.Value > a.remaining {
		c.Value = a.remaining
	}
	a.remaining -= c.Value
	return a, true
}

// payers is contract 4.8: the records that pay for a key.
func (t *Model) payers(k *key) []*account {
	if k.lost {
		return []*account{{limited: true}}
	}
	own := &k.account
	i := t.identityOf(k)
	switch {
	case i == nil || !i.account.limited:
		if own.limited {
			return []*account{own}
		}
		return nil
	case !own.limited || i.policy == fsm.IdentityPays:
		return []*account{&i.account}
	case i.policy == fsm.KeyPays:
		return []*account{own}
	default:
		return []*account{own, &i.account}
	}
}

func smallest(accounts []*account) int64 {
	least := accounts[0].remaining
	for _, a := range accounts {
		least = min(least, a.remaining)
	}
	return least
}

// verifyKey is contract 3.3, 3.4 and 3.7.
func (t *Model) verifyKey(root *rootKey, c *fsm.VerifyKey) fsm.Result {
	for _, r := range c.Ratelimits {
		if r.AdHoc && r.Duration < 1000 {
			return refusal(fsm.InvalidInput)
		}
	}
	k := t.findKey(root, func(k *key) bool { return k.hash == c.Hash })
	if k == nil || need(root, either("api", k.api, "verify_key")...) != nil {
		return &fsm.Verdict{Code: fsm.NotFound}
	}
	permitted := true
	if c.Query != "" {
		var ok bool
		if permitted, ok = satisfied(c.Query, t.slugs(t.linksOf(k))); !ok {
			return refusal(fsm.QuerySyntax)
		}
	}
	v := &fsm.Verdict{KeyID: k.id, Enabled: k.enabled, Name: k.name, Meta: k.meta, Expires: k.expires}
	if i := t.identityOf(k); i != nil {
		v.Identity = &fsm.VerdictIdentity{ID: i.id, ExternalID: i.externalID, Meta: i.meta, Ratelimits: visible(i.limits, k.limits)}
	}
	if slugs, roles := t.slugsOf(k), t.rolesOf(k); slugs != nil || roles != nil {
		v.Access = &fsm.VerdictAccess{Permissions: slugs, Roles: roles}
	}
	payers := t.payers(k)
	v.Limited = len(payers) > 0
	switch {
	case !k.enabled:
		v.Code = fsm.Disabled
	case t.now > k.expires:
		v.Code = fsm.Expired
	case !permitted:
		v.Code = fsm.NotPermitted
	default:
		checks, missing := t.checksOf(k, c)
		if missing {
			return refusal(fsm.PreconditionFailed)
		}
		var passed bool
		if v.Ratelimits, passed = t.checkAll(checks); !passed {
			v.Code = fsm.RateLimited
			break
		}
		if v.Limited && smallest(payers) < c.Cost {
			v.Code = fsm.UsageExceeded
			break
		}
		v.Code = fsm.Valid
		if v.Limited && c.Cost > 0 {
			t.debit(payers, c.Cost)
		}
	}
	if v.Limited {
		v.Credits = smallest(payers)
	}
	if t.now-k.usedAt >= time.Minute.Milliseconds() {
		k.usedAt = t.now
	}
	return v
}

func (t *Model) debit(payers []*account, cost int64) {
	for _, a := range payers {
		a.remaining -= cost
		t.charged += uint64(cost)
	}
}
