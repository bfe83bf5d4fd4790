package fsm_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Contract 4.2, row by row.
func TestCreate_Credits(t *testing.T) {
	for _, row := range []struct {
		name  string
		input fsm.NewCredits
		want  fsm.Credits
		code  fsm.RefusalCode
	}{
		{name: "absent, or remaining null", want: unlimited},
		{name: "remaining null with a refill", input: fsm.NewCredits{Refill: daily(5)}, code: fsm.InvalidInput},
		{name: "n", input: credits(7), want: shown(7)},
		{name: "0 is a record", input: credits(0), want: shown(0)},
		{name: "the largest", input: credits(math.MaxInt64), want: shown(math.MaxInt64)},
		{name: "daily", input: credits(7, daily(5)), want: shown(7, daily(5))},
		{
			name: "daily ignores a day", input: credits(7, fsm.Refill{Interval: fsm.Daily, Amount: 5, Day: 9}),
			want: shown(7, daily(5)),
		},
		{name: "monthly", input: credits(7, monthly(5, 31)), want: shown(7, monthly(5, 31))},
		{name: "monthly without a day", input: credits(7, monthly(5, 0)), code: fsm.InvalidInput},
		{name: "remaining below the amount", input: credits(1, daily(5)), want: shown(1, daily(5))},
		{name: "the largest amount", input: credits(1, daily(math.MaxInt64)), want: shown(1, daily(math.MaxInt64))},
	} {
		for _, o := range owners {
			t.Run(row.name+"/"+o.name, func(t *testing.T) {
				s := newLedger(t)
				before := s.Digest()
				r := o.create(t, s, row.input)
				if row.code != 0 {
					require.Equal(t, row.code, code(r))
					require.Equal(t, before, s.Digest(), "a refused command changes nothing")
					return
				}
				require.IsType(t, &fsm.Created{}, r)
				require.Equal(t, row.want, o.show(t, s))
			})
		}
	}
}

// Contract 4.4, row by row.
func TestUpdateCredits_Table(t *testing.T) {
	const most = math.MaxInt64
	op := func(op fsm.BalanceOp, v int64) fsm.BalanceChange {
		return fsm.BalanceChange{Op: op, Limited: true, Value: v}
	}
	null := func(op fsm.BalanceOp) fsm.BalanceChange { return fsm.BalanceChange{Op: op} }
	for _, row := range []struct {
		name   string
		before fsm.NewCredits
		change fsm.BalanceChange
		want   fsm.Credits
		code   fsm.RefusalCode
	}{
		{name: "set keeps the refill", before: credits(5, daily(9)), change: op(fsm.SetBalance, 2), want: shown(2, daily(9))},
		{name: "set 0 is a record", before: credits(5), change: op(fsm.SetBalance, 0), want: shown(0)},
		{name: "set the largest", before: credits(5), change: op(fsm.SetBalance, most), want: shown(most)},
		{name: "set limits the unlimited", change: op(fsm.SetBalance, 4), want: shown(4)},
		{name: "set null clears the refill too", before: credits(5, daily(9)), change: null(fsm.SetBalance), want: unlimited},
		{name: "set null on unlimited", change: null(fsm.SetBalance), want: unlimited},
		{name: "increment", before: credits(5, monthly(9, 3)), change: op(fsm.Increment, 4), want: shown(9, monthly(9, 3))},
		{name: "increment 0", before: credits(5), change: op(fsm.Increment, 0), want: shown(5)},
		{name: "increment to the largest", before: credits(5), change: op(fsm.Increment, most-5), want: shown(most)},
		{name: "increment beyond it", before: credits(5), change: op(fsm.Increment, most-4), code: fsm.InvalidInput},
		{name: "increment the largest by 0", before: credits(most), change: op(fsm.Increment, 0), want: shown(most)},
		{name: "increment the largest by itself", before: credits(most), change: op(fsm.Increment, most), code: fsm.InvalidInput},
		{name: "increment without a value", before: credits(5), change: null(fsm.Increment), code: fsm.InvalidInput},
		{name: "increment on unlimited", change: op(fsm.Increment, 4), code: fsm.InvalidInput},
		{name: "increment 0 on unlimited", change: op(fsm.Increment, 0), code: fsm.InvalidInput},
		{name: "increment on unlimited without a value", change: null(fsm.Increment), code: fsm.InvalidInput},
		{name: "decrement", before: credits(5, daily(9)), change: op(fsm.Decrement, 4), want: shown(1, daily(9))},
		{name: "decrement 0", before: credits(5), change: op(fsm.Decrement, 0), want: shown(5)},
		{name: "decrement to 0", before: credits(5), change: op(fsm.Decrement, 5), want: shown(0)},
		{name: "decrement stops at 0", before: credits(5), change: op(fsm.Decrement, 6), want: shown(0)},
		{name: "decrement by the largest", before: credits(0), change: op(fsm.Decrement, most), want: shown(0)},
		{name: "decrement without a value", before: credits(5), change: null(fsm.Decrement), code: fsm.InvalidInput},
		{name: "decrement on unlimited", change: op(fsm.Decrement, 4), code: fsm.InvalidInput},
	} {
		t.Run(row.name, func(t *testing.T) {
			forOwners(t, row.before, func(t *testing.T, s *fsm.State, o owner) {
				before := s.Digest()
				r := apply(t, s, o.move(row.change))
				if row.code != 0 {
					require.Equal(t, row.code, code(r))
					require.Equal(t, before, s.Digest(), "a refused command changes nothing")
					return
				}
				require.Equal(t, &row.want, r)
				require.Equal(t, row.want, o.show(t, s))
			})
		})
	}
}

// updateCredits does not count as an update of the key: contract 2.0.
func TestUpdateCredits_LeavesUpdatedAtAlone(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	id := newKey(t, s, 'a', "", credits(5))
	apply(t, s, &fsm.UpdateKeyCredits{KeyID: id, Change: fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: 9}})
	require.Zero(t, getKey(t, s, id).UpdatedAt)
}

// Contract 4.5 for keys and 4.6 for identities, row by row.
func TestUpdate_Credits(t *testing.T) {
	type change = fsm.CreditsChange
	before := credits(300, monthly(100, 25))
	for _, row := range []struct {
		name   string
		before fsm.NewCredits
		change change
		want   fsm.Credits
		code   fsm.RefusalCode
	}{
		{name: "absent or {}", before: before, want: shown(300, monthly(100, 25))},
		{name: "null", before: before, change: change{Unlimited: true}},
		{name: "remaining null", before: before, change: change{Remaining: fsm.Clear[int64]()}},
		{name: "remaining 999", before: before, change: change{Remaining: fsm.Set[int64](999)}, want: shown(999, monthly(100, 25))},
		{name: "remaining 0", before: before, change: change{Remaining: fsm.Set[int64](0)}, want: shown(0, monthly(100, 25))},
		{name: "refill null", before: before, change: change{Refill: fsm.Clear[fsm.Refill]()}, want: shown(300)},
		{name: "refill monthly", before: before, change: change{Refill: fsm.Set(monthly(150, 20))}, want: shown(300, monthly(150, 20))},
		{name: "refill daily", before: before, change: change{Refill: fsm.Set(daily(25))}, want: shown(300, daily(25))},
		{
			name: "both", before: before, want: shown(1000, monthly(500, 1)),
			change: change{Remaining: fsm.Set[int64](1000), Refill: fsm.Set(monthly(500, 1))},
		},
		{
			name: "remaining and refill null", before: before, want: shown(5),
			change: change{Remaining: fsm.Set[int64](5), Refill: fsm.Clear[fsm.Refill]()},
		},
		{
			name: "both null", before: before,
			change: change{Remaining: fsm.Clear[int64](), Refill: fsm.Clear[fsm.Refill]()},
		},
		{
			name: "remaining null with a refill", before: before, code: fsm.InvalidInput,
			change: change{Remaining: fsm.Clear[int64](), Refill: fsm.Set(daily(5))},
		},
		{name: "monthly without a day", before: before, change: change{Refill: fsm.Set(monthly(5, 0))}, code: fsm.InvalidInput},
		{
			name: "daily with a day", before: before, code: fsm.InvalidInput,
			change: change{Refill: fsm.Set(fsm.Refill{Interval: fsm.Daily, Amount: 5, Day: 3})},
		},
		{
			name: "daily with a day beside a good balance", before: before, code: fsm.InvalidInput,
			change: change{Remaining: fsm.Set[int64](1), Refill: fsm.Set(fsm.Refill{Interval: fsm.Daily, Amount: 5, Day: 3})},
		},
		{name: "unlimited before, refill", change: change{Refill: fsm.Set(daily(25))}, code: fsm.InvalidInput},
		{name: "unlimited before, refill null", change: change{Refill: fsm.Clear[fsm.Refill]()}},
		{name: "unlimited before, {}"},
		{name: "unlimited before, null", change: change{Unlimited: true}},
		{name: "unlimited before, remaining null", change: change{Remaining: fsm.Clear[int64]()}},
		{name: "unlimited before, remaining", change: change{Remaining: fsm.Set[int64](10)}, want: shown(10)},
		{
			name: "unlimited before, both", want: shown(10, daily(5)),
			change: change{Remaining: fsm.Set[int64](10), Refill: fsm.Set(daily(5))},
		},
		{
			name: "unlimited before, remaining and refill null", want: shown(10),
			change: change{Remaining: fsm.Set[int64](10), Refill: fsm.Clear[fsm.Refill]()},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			forOwners(t, row.before, func(t *testing.T, s *fsm.State, o owner) {
				digest := s.Digest()
				r := apply(t, s, o.change(row.change))
				if row.code != 0 {
					require.Equal(t, row.code, code(r))
					require.Equal(t, digest, s.Digest(), "a 400 leaves all other fields unapplied as well")
					return
				}
				require.Zero(t, code(r))
				require.Equal(t, row.want, o.show(t, s))
				if i, ok := r.(*fsm.Identity); ok {
					require.Equal(t, row.want, i.Credits, "the answer shows the resulting credits")
				}
			})
		})
	}
}

// A record that went and came back begins anew: nothing of its refill survives. Contract 4.4 and 4.5.
func TestUpdate_AReturningRecordHasNoRefill(t *testing.T) {
	forOwners(t, credits(5, daily(9)), func(t *testing.T, s *fsm.State, o owner) {
		apply(t, s, o.move(fsm.BalanceChange{Op: fsm.SetBalance}))
		apply(t, s, o.move(fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: 3}))
		advance(t, s, "2025-01-09 10:00:00.000")
		require.Equal(t, shown(3), o.show(t, s))
	})
}

// The totals balance through every kind of movement, also where they overflow: see Totals.
func TestTotals_BalanceBeyondInt64(t *testing.T) {
	s := newLedger(t)
	for _, name := range []byte("abcdef") {
		newKey(t, s, name, "", credits(math.MaxInt64))
	}
	for range 3 {
		require.Equal(t, fsm.Valid, verify(t, s, 'a', math.MaxInt64).Code)
		apply(t, s, &fsm.UpdateKeyCredits{KeyID: "key_a", Change: fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: math.MaxInt64}})
	}
	apply(t, s, &fsm.DeleteKey{KeyID: "key_b", Permanent: true})
	apply(t, s, &fsm.DeleteKey{KeyID: "key_c"})
	apply(t, s, &fsm.UpdateKey{KeyID: "key_d", Credits: fsm.CreditsChange{Unlimited: true}})
	require.NoError(t, s.CheckInvariants())
	var left uint64 = 4 // a, c, e, f; the rest is gone
	require.Equal(t, left*math.MaxInt64, s.Stats().Totals.Outstanding())
	require.Equal(t, 4, s.Stats().CreditRecords)
}

// Amounts that no request may carry are refused here as well, should one get so far. Contract 3.1 and 4.4.
func TestLedger_RefusesNegativeAmounts(t *testing.T) {
	negative := fsm.BalanceChange{Limited: true, Value: -1}
	forOwners(t, credits(5), func(t *testing.T, s *fsm.State, o owner) {
		before := s.Digest()
		for _, op := range []fsm.BalanceOp{fsm.SetBalance, fsm.Increment, fsm.Decrement} {
			negative.Op = op
			require.Equal(t, fsm.InvalidInput, code(apply(t, s, o.move(negative))))
		}
		require.Equal(t, fsm.InvalidInput, code(apply(t, s, o.change(fsm.CreditsChange{Remaining: fsm.Set[int64](-1)}))))
		require.Equal(t, fsm.InvalidInput, code(apply(t, s, o.change(fsm.CreditsChange{Refill: fsm.Set(daily(0))}))))
		require.Equal(t, fsm.InvalidInput, code(apply(t, s, o.change(fsm.CreditsChange{Refill: fsm.Set(daily(-1))}))))
		require.Equal(t, fsm.InvalidInput, code(apply(t, s, &fsm.VerifyKey{Cost: -1})))
		require.Equal(t, before, s.Digest())
	})
	for _, o := range owners {
		s := newLedger(t)
		for _, c := range []fsm.NewCredits{credits(-1), credits(math.MinInt64), credits(1, daily(0)), credits(1, monthly(-1, 1))} {
			require.Equal(t, fsm.InvalidInput, code(o.create(t, s, c)))
		}
	}
}
