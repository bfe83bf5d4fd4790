package replay

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/chaos/history"
)

const initial = 1000

// run makes the record that a correct ledger would leave: accounts whose operations share entries and overlap in time, some of unknown
// outcome, some of which were executed.
func run(random *rand.Rand) ([]history.Account, []history.Operation) {
	accounts := []history.Account{{Name: "a", Initial: initial}, {Name: "b", Initial: initial}, {Name: "c", Initial: initial}}
	for i := range accounts {
		accounts[i].Final = initial
	}
	var ops []history.Operation
	now := time.Duration(0)
	for index := uint64(10); index < 200; index++ {
		for range random.IntN(8) {
			at := random.IntN(len(accounts))
			balance := &accounts[at].Final
			op := history.Operation{
				Account: at, Kind: history.Kind(random.IntN(history.Kinds)), Amount: 1 + random.Int64N(600), Index: index,
				Start: now + time.Duration(random.IntN(900)), End: now + 1000 + time.Duration(random.IntN(900)),
			}
			if op.Kind == history.Read {
				continue
			}
			after, denied := apply(*balance, op)
			op.Balance = after
			if denied {
				op.Outcome = history.Denied
			}
			if random.IntN(60) == 0 {
				op.Outcome, op.Balance, op.Index = history.Unknown, 0, 0
				if random.IntN(2) == 0 {
					after = *balance // it was lost on its way
				}
			}
			*balance = after
			ops = append(ops, op)
		}
		if at := random.IntN(2 * len(accounts)); at < len(accounts) {
			ops = append(ops, history.Operation{
				Account: at, Kind: history.Read, Index: index, Balance: accounts[at].Final, Start: now + 500, End: now + 1500,
			})
		}
		now += 2000
	}
	random.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	return accounts, ops
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
	debit := func(index uint64, amount, balance int64) history.Operation {
		return history.Operation{Kind: history.Debit, Amount: amount, Balance: balance, Index: index, Start: time.Duration(10 * index), End: time.Duration(10*index + 5)}
	}
	as := func(op history.Operation, kind history.Kind, outcome history.Outcome) history.Operation {
		op.Kind, op.Outcome = kind, outcome
		return op
	}
	for name, test := range map[string]struct {
		final int64
		ops   []history.Operation
	}{
		"debited twice":               {800, []history.Operation{debit(1, 100, 900)}},
		"debit lost":                  {900, []history.Operation{debit(1, 100, 900), debit(2, 100, 800)}},
		"debit lost under a later":    {800, []history.Operation{debit(1, 100, 900), debit(2, 100, 900)}},
		"stale read":                  {900, []history.Operation{debit(1, 100, 900), as(debit(2, 0, 1000), history.Read, history.OK)}},
		"read from within an entry":   {800, []history.Operation{debit(1, 100, 900), debit(1, 100, 800), as(debit(1, 0, 900), history.Read, history.OK)}},
		"denial of what suffices":     {900, []history.Operation{debit(1, 100, 900), as(debit(2, 900, 900), history.Debit, history.Denied)}},
		"denial of another time":      {0, []history.Operation{debit(1, 500, 500), as(debit(1, 700, 600), history.Debit, history.Denied), debit(2, 500, 0)}},
		"set that did not hold":       {950, []history.Operation{as(debit(1, 40, 40), history.Set, history.OK), debit(2, 50, 950)}},
		"decrement below zero":        {0, []history.Operation{as(debit(1, 2000, -1000), history.Decrement, history.OK)}},
		"unknown debit taken twice":   {700, []history.Operation{debit(1, 100, 900), as(debit(2, 100, 0), history.Debit, history.Unknown)}},
		"unknown debit before it was": {700, []history.Operation{debit(1, 100, 700), as(debit(2, 200, 0), history.Debit, history.Unknown)}},
		"no index":                    {900, []history.Operation{debit(0, 100, 900)}},
		"broken answer":               {900, []history.Operation{debit(1, 100, 900), as(debit(2, 100, 0), history.Debit, history.Broken)}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range test.ops {
				if test.ops[i].Outcome == history.Unknown {
					test.ops[i].Index = 0
				}
			}
			report := Check([]history.Account{{Name: "o", Initial: initial, Final: test.final}}, test.ops)
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

// Each of these breaks the order between accounts, which no account shows by itself.
func TestCheck_FindsAnIndexThatRunsBackwards(t *testing.T) {
	accounts := []history.Account{{Name: "a", Initial: 10, Final: 9}, {Name: "b", Initial: 10, Final: 10}}
	first := history.Operation{Account: 0, Amount: 1, Balance: 9, Index: 7, Start: 10, End: 20}
	read := history.Operation{Account: 1, Kind: history.Read, Balance: 10, Index: 7, Start: 21, End: 30}
	require.Empty(t, Check(accounts, []history.Operation{first, read}).Violations)

	stale := read
	stale.Index = 6
	require.Len(t, Check(accounts, []history.Operation{first, stale}).Violations, 1)
	stale.Start = 20
	require.Empty(t, Check(accounts, []history.Operation{first, stale}).Violations, "it was sent before the answer")

	change := history.Operation{Account: 1, Amount: 1, Balance: 9, Index: 7, Start: 21, End: 30}
	accounts[1].Final = 9
	require.Len(t, Check(accounts, []history.Operation{first, change}).Violations, 1, "a later change is in a later entry")
}
