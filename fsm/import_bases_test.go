package fsm_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// bothSides is a source and a ledger, and what somebody who sees every event of both says about them: the ledger must have what the source
// has, and offset on top of it.
type bothSides struct {
	t      *testing.T
	rng    *rand.Rand
	ledger *fsm.State
	now    time.Time
	refill fsm.Refill
	start  int64 // of both
	flows  int64 // what people gave and charged on both sides since
	given  int64 // by refills, each once

	remaining, refilledAt int64 // of the source
	offset                int64
	days                  []decidedDay // since the last pass
	readings              []reading
}

type reading struct {
	at      int64
	credits fsm.ImportedCredits
}

// decidedDay is a due day: what the ledger had on top just before, what it gave, and whether the source gave too.
type decidedDay struct {
	day           time.Time
	before, given int64
	source        bool
}

func (b *bothSides) balance() int64 {
	b.ledger.Apply(fsm.Batch{Stamp: b.now.UnixMilli()})
	return getKey(b.t, b.ledger, "key_1").Credits.Remaining
}

func (b *bothSides) read() reading {
	b.now = b.now.Add(time.Millisecond)
	r := reading{b.now.UnixMilli(), fsm.ImportedCredits{Limited: true, Remaining: b.remaining, Refill: b.refill, RefilledAt: b.refilledAt, Considered: b.now.UnixMilli() / 86_400_000}}
	b.readings = append(b.readings, r)
	return r
}

func (b *bothSides) send(r reading) fsm.ImportOutcome {
	b.ledger.Apply(fsm.Batch{Stamp: b.now.UnixMilli()})
	return importBy(b.t, b.ledger, &fsm.ImportRecords{OnConflict: fsm.ReplaceOnConflict, ReadAt: r.at, Items: []fsm.ImportItem{
		{Record: &fsm.ImportMarkRecord{Owner: "key_1"}, Credits: r.credits},
	}})[0]
}

// use charges or gives on one side.
func (b *bothSides) use(grants bool) {
	b.now = b.now.Add(time.Duration(1+b.rng.IntN(60)) * time.Minute)
	n := 1 + b.rng.Int64N(b.refill.Amount/2)
	grant := grants && b.rng.IntN(4) == 0
	switch source := b.rng.IntN(2) == 0; {
	case source && grant:
		b.remaining, b.flows = b.remaining+n, b.flows+n
	case source:
		n = min(n, b.remaining)
		b.remaining, b.flows = b.remaining-n, b.flows-n
	case grant:
		b.call(&fsm.UpdateKeyCredits{KeyID: "key_1", Change: fsm.BalanceChange{Op: fsm.Increment, Limited: true, Value: n}})
		b.offset, b.flows = b.offset+n, b.flows+n
	default:
		if b.call(&fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: n}).(*fsm.Verdict).Code == fsm.Valid {
			b.offset, b.flows = b.offset-n, b.flows-n
		}
	}
}

func (b *bothSides) call(c fsm.Command) fsm.Result {
	return b.ledger.Apply(fsm.Batch{Stamp: b.now.UnixMilli(), Calls: []fsm.Call{{Actor: root, Command: c}}})[0]
}

// midnight begins the next day. The ledger refills at once; refillSource comes later.
func (b *bothSides) midnight() {
	before := b.balance()
	b.now = b.now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	if isDue(b.refill, b.now) {
		given := b.balance() - before
		b.days = append(b.days, decidedDay{day: b.now, before: b.offset, given: given})
		b.offset, b.given = b.offset+given, b.given+given
	}
}

// refillSource gives the refill of today. The day's refill counts once: in place of the ledger's, what is missing on both sides is filled up.
func (b *bothSides) refillSource() {
	b.now = b.now.Add(time.Duration(1+b.rng.IntN(10)) * time.Minute)
	if !isDue(b.refill, b.now) || b.remaining >= b.refill.Amount {
		return
	}
	b.given += b.refill.Amount - b.remaining
	b.remaining, b.refilledAt = b.refill.Amount, b.now.UnixMilli()
	d := &b.days[len(b.days)-1]
	d.source = true
	once := max(d.before, 0) - d.before - d.given
	b.offset, b.given = b.offset+once, b.given+once
}

// hidden is by how much the ledger may be wrong after a pass: the source shows only its last refill, so nobody can tell whether it gave
// those of the days before.
func (b *bothSides) hidden(seen int64) (most int64) {
	for _, d := range b.days {
		if last := b.refilledAt; last > seen && d.day.UnixMilli()/86_400_000 < last/86_400_000 && !d.source {
			most += max(d.given, d.before, -d.before)
		}
	}
	return most
}

// pass sends what the source has, again and out of order, and compares.
func (b *bothSides) pass(seen *int64) (hidden bool) {
	r := b.read()
	o := b.send(r)
	require.Contains(b.t, []fsm.ImportStatus{fsm.ImportReplaced, fsm.ImportUnchanged}, o.Status, "%v", o)
	b.offset, b.given = b.offset+o.Shortfall, b.given+o.Shortfall
	got := b.balance()
	require.Equal(b.t, fsm.ImportUnchanged, b.send(r).Status, "again")
	require.Equal(b.t, fsm.ImportUnchanged, b.send(b.readings[b.rng.IntN(len(b.readings))]).Status, "late")
	require.Equal(b.t, got, b.balance())
	most, want := b.hidden(*seen), b.remaining+b.offset
	require.LessOrEqual(b.t, max(got-want, want-got), most, "%v: %d instead of %d", b.now, got, want)
	require.Equal(b.t, want, b.start+b.flows+b.given)
	b.offset, b.given = b.offset+got-want, b.given+got-want
	if *seen != b.refilledAt {
		*seen = b.refilledAt
		for len(b.days) > 0 && b.days[0].day.UnixMilli()/86_400_000 <= *seen/86_400_000 {
			b.days = b.days[1:]
		}
	}
	for i := range b.days { // nobody knows better from here on
		b.days[i].before += got - want
	}
	return most > 0
}

// Charges, gifts and refills of both sides in any order, and passes at any time: the ledger has what both sides had, plus what both gave, less
// what both charged, with each refill once. Only where the source hides a refill that it did or did not give, the difference has a bound.
func TestImport_DifferencesAreExact(t *testing.T) {
	exact, hidden := 0, 0
	for seed := range uint64(240) {
		rng := rand.New(rand.NewPCG(seed, 2))
		amount := []int64{1000, 20}[seed%2]
		b := &bothSides{
			t: t, rng: rng, ledger: newImportLedgerOf(t, fsmtest.FifthRules), now: time.Date(2025, 1, 28, 12, 0, 0, 0, time.UTC), start: 900, remaining: 900,
			refill: []fsm.Refill{daily(amount), monthly(amount, 31), monthly(amount, 15)}[seed/2%3],
		}
		b.ledger.Apply(fsm.Batch{Stamp: b.now.UnixMilli()})
		first := b.read()
		require.Equal(t, fsm.ImportCreated, importBy(t, b.ledger, &fsm.ImportRecords{Track: true, ReadAt: first.at, Items: []fsm.ImportItem{{
			Record: &fsm.KeyRecord{ID: "key_1", Hash: fsm.Hash{'k'}, APIID: "api_1", Expires: fsm.Never, Enabled: true}, Credits: first.credits,
		}}})[0].Status)
		seen, grants, rare, records := int64(0), seed%4 < 2, 1+int(seed%5)*4, map[fsm.RecordKey]fsm.Record{}
		for range 70 {
			for range rng.IntN(4) {
				b.use(grants)
				if rng.IntN(rare) == 0 {
					if b.pass(&seen) {
						hidden++
					} else {
						exact++
					}
				}
			}
			b.midnight()
			if rng.IntN(rare) == 0 {
				b.pass(&seen)
			}
			b.refillSource()
			if rng.IntN(4) == 0 { // a snapshot between
				b.ledger = restoredFrom(t, b.ledger, records)
			}
		}
		b.pass(&seen)
		if t.Failed() {
			t.Fatal(fmt.Sprint("seed ", seed))
		}
	}
	require.Greater(t, exact, 4000)
	require.Greater(t, hidden, 10, "the cases with a bound were tested too")
}
