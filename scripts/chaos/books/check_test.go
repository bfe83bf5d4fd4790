package books

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// history plays an honest ledger: operations overlap in time, several share an entry, and some answers get lost.
func history(random *rand.Rand, owners, entries int, lost float64) ([]Owner, []Op) {
	var balances []Owner
	for i := range owners {
		initial := random.Int64N(3000)
		balances = append(balances, Owner{Name: fmt.Sprintf("owner %d", i), Initial: initial, Final: initial})
	}
	var ops []Op
	now := time.Duration(0)
	for index := range uint64(entries) {
		for range 1 + random.IntN(6) {
			number := random.IntN(owners)
			owner := &balances[number]
			op := Op{Owner: number, Index: index + 1, Start: now + time.Duration(random.IntN(900)), End: now + 1000 + time.Duration(random.IntN(900))}
			switch choice := random.IntN(10); {
			case choice < 6:
				op.Kind, op.Amount = Charge, 1+random.Int64N(1000)
				if op.Amount > owner.Final {
					op.Outcome = Denied
				} else {
					owner.Final -= op.Amount
				}
			case choice < 9:
				op.Kind, op.Amount = Grant, 1+random.Int64N(2000)
				owner.Final += op.Amount
			default:
				op.Kind = Read
			}
			op.Balance = owner.Final
			if random.Float64() < lost && op.Kind != Read {
				op.Outcome, op.Balance, op.Index = Unknown, 0, 0
			}
			ops = append(ops, op)
		}
		now += 2000
	}
	random.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	return balances, ops
}

// A checker that cries wolf is switched off: what an honest ledger does must pass, whatever was lost on the way.
func TestCheck_AcceptsHonestHistories(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 7))
		owners, ops := history(random, 3, 60, float64(seed%4)/20)
		report := Check(owners, ops)
		require.Empty(t, report.Violations, "seed %d", seed)
		require.Zero(t, report.Undecided, "seed %d", seed)
	}
}

// Each fault is planted into an honest history in which few answers were lost.
func TestCheck_FindsPlantedFaults(t *testing.T) {
	pick := func(ops []Op, want func(Op) bool) *Op {
		at := slices.IndexFunc(ops, want)
		if at < 0 {
			return &Op{}
		}
		return &ops[at]
	}
	charged := func(op Op) bool { return op.Kind == Charge && op.Outcome == OK }
	denied := func(op Op) bool { return op.Outcome == Denied }
	for name, plant := range map[string]func(owners []Owner, ops []Op) []Op{
		"charged twice": func(owners []Owner, ops []Op) []Op {
			op := pick(ops, charged)
			owners[op.Owner].Final -= op.Amount
			return ops
		},
		"charge forgotten": func(owners []Owner, ops []Op) []Op {
			op := pick(ops, charged)
			owners[op.Owner].Final += op.Amount
			return ops
		},
		"grant forgotten": func(owners []Owner, ops []Op) []Op {
			op := pick(ops, func(op Op) bool { return op.Kind == Grant && op.Outcome == OK })
			owners[op.Owner].Final -= op.Amount
			return ops
		},
		"wrong balance in an answer": func(_ []Owner, ops []Op) []Op {
			pick(ops, charged).Balance++
			return ops
		},
		"the same credits to two callers": func(_ []Owner, ops []Op) []Op { return append(ops, *pick(ops, charged)) },
		"negative balance": func(_ []Owner, ops []Op) []Op {
			pick(ops, charged).Balance = -1
			return ops
		},
		"denied with enough": func(_ []Owner, ops []Op) []Op {
			op := pick(ops, denied)
			op.Amount = op.Balance
			return ops
		},
		"stale denial": func(_ []Owner, ops []Op) []Op {
			op := pick(ops, denied)
			op.Balance = 987_654
			op.Amount = 987_655
			return ops
		},
		"entry out of order": func(_ []Owner, ops []Op) []Op {
			op := pick(ops, func(op Op) bool { return op.Outcome == OK && op.Kind != Read && op.Index > 20 })
			op.Index -= 15
			return ops
		},
		"stale read": func(owners []Owner, ops []Op) []Op {
			last := Op{Owner: 0, Kind: Read, Balance: owners[0].Initial + 1, Index: 1000, Start: time.Hour, End: time.Hour + 1}
			return append(ops, last)
		},
		"old index": func(owners []Owner, ops []Op) []Op {
			last := Op{Owner: 0, Kind: Read, Balance: owners[0].Final, Index: 3, Start: time.Hour, End: time.Hour + 1}
			return append(ops, last)
		},
		"no index": func(_ []Owner, ops []Op) []Op {
			pick(ops, charged).Index = 0
			return ops
		},
		"broken answer": func(_ []Owner, ops []Op) []Op {
			pick(ops, charged).Outcome = Broken
			return ops
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				owners, ops := history(rand.New(rand.NewPCG(seed, 7)), 3, 60, 0.01)
				require.NotEmpty(t, Check(owners, plant(owners, ops)).Violations, "seed %d", seed)
			}
		})
	}
}

// An unknown charge explains a missing amount only when it was sent before the step it explains, and only as a whole.
func TestCheck_UnknownChangesExplainOnlyThemselves(t *testing.T) {
	history := func(sent time.Duration, amount int64) ([]Owner, []Op) {
		return []Owner{{Name: "o", Initial: 100, Final: 60}}, []Op{
			{Kind: Charge, Amount: 10, Balance: 90, Index: 1, Start: 0, End: 10},
			{Kind: Charge, Amount: amount, Outcome: Unknown, Start: sent, End: sent + 5},
			{Kind: Charge, Amount: 10, Balance: 60, Index: 3, Start: 30, End: 40},
		}
	}
	owners, ops := history(20, 20)
	require.Equal(t, Report{Resolved: 1}, Check(owners, ops))
	owners, ops = history(50, 20)
	require.NotEmpty(t, Check(owners, ops).Violations, "sent after the step it would have to explain")
	owners, ops = history(20, 25)
	require.NotEmpty(t, Check(owners, ops).Violations, "another amount")
}

func TestSums_AreThoseOfSubsets(t *testing.T) {
	s := sumsOf([]int64{-3, 5, 5})
	for total := int64(-20); total <= 20; total++ {
		require.Equal(t, slices.Contains([]int64{0, -3, 5, 2, 10, 7}, total), s.contain(total), "%d", total)
	}
	wide := sumsOf([]int64{-maxReachable, 5})
	require.True(t, wide.contain(-1), "beyond the limit only the range is known")
	require.False(t, wide.contain(6))
}
