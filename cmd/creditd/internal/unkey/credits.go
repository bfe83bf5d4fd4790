package unkey

import (
	"fmt"

	"github.com/creditd/creditd/api/records"
)

// balanceColumns are the names under which a table has a balance.
type balanceColumns struct {
	remaining, day, amount, refilled string
	shown                            string // before the names in problems
	datetime                         bool   // how refilled is kept
}

var (
	ownColumns    = balanceColumns{"remaining_requests", "refill_day", "refill_amount", "last_refill_at", "", true}
	creditColumns = balanceColumns{"remaining", "refill_day", "refill_amount", "refilled_at", "credits.", false}
)

// balance reads a balance; nil: unlimited.
func (d *draft) balance(r row, c balanceColumns, days refillDays) *records.Credits {
	if !r.has(c.remaining) {
		if r.has(c.amount) {
			d.note(Partly, c.shown+c.amount, "a refill without a balance means nothing: the key is unlimited")
		}
		return nil
	}
	credits := &records.Credits{Remaining: d.number(r, c.remaining, c.shown+c.remaining)}
	if credits.Remaining < 0 {
		d.lose(c.shown+c.remaining, fmt.Sprintf("the balance is %d; a balance is never negative", credits.Remaining))
	}
	if credits.Refill = d.refill(r, c); credits.Refill == nil {
		return credits
	}
	if c.datetime {
		if at := d.datetime(r, c.refilled, c.shown+c.refilled); at != nil {
			credits.RefilledAt = *at
		}
	} else {
		credits.RefilledAt = d.millis(r, c.refilled, c.shown+c.refilled)
	}
	credits.ConsideredAt = max(credits.RefilledAt, days.decided)
	return credits
}

// refill reads the settings of a refill; nil: there is none.
func (d *draft) refill(r row, c balanceColumns) *records.Refill {
	if !r.has(c.amount) {
		if r.has(c.day) {
			d.note(Partly, c.shown+c.day, "a day without an amount is no refill")
		}
		return nil
	}
	amount := d.number(r, c.amount, c.shown+c.amount)
	switch {
	case amount < 0:
		d.lose(c.shown+c.amount, fmt.Sprintf("a refill of %d", amount))
	case amount == 0:
		d.note(Partly, c.shown+c.amount, "a refill of 0 adds nothing, and the cluster has none")
		return nil
	case !r.has(c.day):
		return &records.Refill{Interval: "daily", Amount: amount}
	}
	day := d.number(r, c.day, c.shown+c.day)
	if day < 1 || day > 31 {
		d.lose(c.shown+c.day, fmt.Sprintf("no month has a day %d", day))
	}
	return &records.Refill{Interval: "monthly", Amount: amount, RefillDay: day}
}

// creditRow reads a row of credits. It must belong to one owner only.
func (d *draft) creditRow(r row, other string, days refillDays) *records.Credits {
	if r.has(other) {
		d.lose("credits."+other, "its balance belongs to a key and to an identity")
	}
	if !r.has("remaining") {
		d.lose("credits.remaining", "the row has no balance")
		return nil
	}
	return d.balance(r, creditColumns, days)
}
