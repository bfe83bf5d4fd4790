package unkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/api/schema"
)

// number reads an integer column, signed or not, that is not NULL.
func (d *draft) number(r row, column, shown string) int64 {
	n, err := strconv.ParseInt(r.text(column), 10, 64)
	if err != nil {
		if _, unsigned := strconv.ParseUint(r.text(column), 10, 64); unsigned == nil {
			d.lose(shown, fmt.Sprintf("%s exceeds the largest 64-bit integer, %d", r.text(column), int64(math.MaxInt64)))
		} else {
			d.lose(shown, fmt.Sprintf("%q is no integer", r.text(column)))
		}
	}
	return n
}

// millis reads a column of Unix milliseconds; 0 for NULL.
func (d *draft) millis(r row, column, shown string) records.Time {
	if !r.has(column) {
		return 0
	}
	n := d.number(r, column, shown)
	if n < 0 {
		d.lose(shown, fmt.Sprintf("%d is before 1970", n))
	}
	return records.Time(n)
}

// datetime reads a column datetime, which has no time zone and means UTC. nil for NULL.
func (d *draft) datetime(r row, column, shown string) *records.Time {
	if !r.has(column) {
		return nil
	}
	text := r.text(column)
	at, err := time.Parse("2006-01-02 15:04:05", text) // a fraction may follow
	if err != nil {
		d.lose(shown, fmt.Sprintf("%q is no time", text))
		return nil
	}
	millis := records.Time(at.UnixMilli())
	if millis < 0 {
		d.lose(shown, text+" is before 1970")
	}
	return &millis
}

// meta reads a column of JSON. Unkey takes an empty text for none.
func (d *draft) meta(r row) schema.Object {
	text := r.text("meta")
	if text == "" || text == "null" {
		return ""
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		d.lose("meta", "not JSON: "+err.Error())
		return ""
	}
	if compact.Bytes()[0] != '{' {
		d.lose("meta", "the JSON is no object")
		return ""
	}
	return schema.Object(compact.String())
}

// hash reads the hash of a key. algorithm is that of its pending migration, if it has one.
func (d *draft) hash(r row, algorithm string) records.Hash {
	text := r.text("hash")
	if algorithm == prefixedAlgorithm {
		if raw, err := hex.DecodeString(text); err != nil || len(raw) != 32 {
			d.lose("hash", "the key waits for a migration of "+prefixedAlgorithm+", and its hash is not 64 hexadecimal digits")
		}
		return records.Hash(strings.ToLower(text))
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32 || len(text) != base64.StdEncoding.EncodedLen(32) {
		d.lose("hash", "not the standard base64 of 32 bytes, as the SHA-256 of a key is kept")
	}
	return records.Hash(text)
}

// prefixedAlgorithm is the algorithm of migrations whose keys are known by the hash of a part.
const prefixedAlgorithm = "github.com/seamapi/prefixed-api-key"

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
