package replay

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/chaos/books"
)

const initial = 1000

// run makes the record of one balance as a correct ledger would leave it: entries of several operations, some of unknown outcome,
// some of which took effect.
func run(random *rand.Rand) ([]books.Owner, []books.Op) {
	balance := int64(initial)
	var ops []books.Op
	now := time.Duration(0)
	for index := uint64(10); index < 200; index++ {
		for range random.IntN(4) {
			now += 10
			op := books.Op{Kind: books.Kind(random.IntN(books.Kinds)), Amount: 1 + random.Int64N(600), Index: index, Start: now}
			if op.Kind == books.Read {
				continue
			}
			after, denied := apply(balance, op)
			op.Balance = after
			if denied {
				op.Outcome = books.Denied
			}
			if random.IntN(60) == 0 {
				op.Outcome, op.Balance, op.Index = books.Unknown, 0, 0
				if random.IntN(2) == 0 {
					after = balance // it was lost on its way
				}
			}
			balance = after
			ops = append(ops, op)
		}
		now += 10
		if random.IntN(3) == 0 {
			ops = append(ops, books.Op{Kind: books.Read, Index: index, Balance: balance, Start: now, End: now + 10})
		}
		for i := range ops {
			if ops[i].End == 0 {
				ops[i].End = now + 10
			}
		}
	}
	random.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	return []books.Owner{{Name: "o", Initial: initial, Final: balance, Reset: true}}, ops
}

func TestCheck_AcceptsWhatALedgerAnswers(t *testing.T) {
	resolved := 0
	for seed := range uint64(100) {
		owners, ops := run(rand.New(rand.NewPCG(seed, 0)))
		report := Check(owners, ops)
		require.Empty(t, report.Violations, "seed %d", seed)
		require.Zero(t, report.Undecided, "seed %d", seed)
		require.Greater(t, report.Replayed, 100)
		resolved += report.Resolved
	}
	require.Positive(t, resolved)
}

// Each of these is what some broken ledger would answer; none may pass.
func TestCheck_FindsAWrongAnswer(t *testing.T) {
	charge := func(index uint64, amount, balance int64) books.Op {
		return books.Op{Kind: books.Charge, Amount: amount, Balance: balance, Index: index, Start: time.Duration(10 * index), End: time.Duration(10*index + 5)}
	}
	as := func(op books.Op, kind books.Kind, outcome books.Outcome) books.Op {
		op.Kind, op.Outcome = kind, outcome
		return op
	}
	for name, test := range map[string]struct {
		final int64
		ops   []books.Op
	}{
		"charged twice":                {800, []books.Op{charge(1, 100, 900)}},
		"charge lost":                  {900, []books.Op{charge(1, 100, 900), charge(2, 100, 800)}},
		"charge lost under a later":    {800, []books.Op{charge(1, 100, 900), charge(2, 100, 900)}},
		"stale read":                   {900, []books.Op{charge(1, 100, 900), as(charge(2, 0, 1000), books.Read, books.OK)}},
		"read from within an entry":    {800, []books.Op{charge(1, 100, 900), charge(1, 100, 800), as(charge(1, 0, 900), books.Read, books.OK)}},
		"denial of what suffices":      {900, []books.Op{charge(1, 100, 900), as(charge(2, 900, 900), books.Charge, books.Denied)}},
		"denial of another time":       {0, []books.Op{charge(1, 500, 500), as(charge(1, 700, 600), books.Charge, books.Denied), charge(2, 500, 0)}},
		"set that did not hold":        {950, []books.Op{as(charge(1, 40, 40), books.Set, books.OK), charge(2, 50, 950)}},
		"decrement below zero":         {0, []books.Op{as(charge(1, 2000, -1000), books.Decrement, books.OK)}},
		"unknown charge taken twice":   {700, []books.Op{charge(1, 100, 900), as(charge(2, 100, 0), books.Charge, books.Unknown)}},
		"unknown charge before it was": {700, []books.Op{charge(1, 100, 700), as(charge(2, 200, 0), books.Charge, books.Unknown)}},
		"no index":                     {900, []books.Op{charge(0, 100, 900)}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range test.ops {
				if test.ops[i].Outcome == books.Unknown {
					test.ops[i].Index = 0
				}
			}
			report := Check([]books.Owner{{Name: "o", Initial: initial, Final: test.final, Reset: true}}, test.ops)
			require.Len(t, report.Violations, 1)
		})
	}
}

// A record with one altered answer is hardly ever that of a ledger.
func TestCheck_FindsAnAlteredRecord(t *testing.T) {
	found := 0
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 1))
		owners, ops := run(random)
		for {
			if op := &ops[random.IntN(len(ops))]; op.Answered() {
				op.Balance += 1 + random.Int64N(5)
				break
			}
		}
		if len(Check(owners, ops).Violations) > 0 {
			found++
		}
	}
	require.GreaterOrEqual(t, found, 98)
}
