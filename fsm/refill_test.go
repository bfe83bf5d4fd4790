package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// When a refill is due: contract 4.3. Each record is made with a balance of 3 and a refill of 10.
func TestRefill_IsDueOnItsDay(t *testing.T) {
	for _, row := range []struct {
		name         string
		refill       fsm.Refill
		made, before string // the refill is not there at before yet
		due          string // and is there at due
	}{
		{"daily", daily(10), "2025-01-01 10:00:00.000", "2025-01-01 23:59:59.999", "2025-01-02"},
		{"daily, made at midnight", daily(10), "2025-01-01", "2025-01-01 23:59:59.999", "2025-01-02"},
		{"daily, made just before midnight", daily(10), "2025-01-01 23:59:59.999", "2025-01-01 23:59:59.999", "2025-01-02"},
		{"daily over a year's end", daily(10), "2024-12-31 12:00:00.000", "2024-12-31 23:59:59.999", "2025-01-01"},
		{"monthly", monthly(10, 15), "2025-01-10", "2025-01-14 23:59:59.999", "2025-01-15"},
		{"monthly, made on the day", monthly(10, 15), "2025-01-15 00:00:00.000", "2025-02-14 23:59:59.999", "2025-02-15"},
		{"monthly, made after the day", monthly(10, 15), "2025-01-16", "2025-02-14 23:59:59.999", "2025-02-15"},
		{"day 1", monthly(10, 1), "2025-12-02", "2025-12-31 23:59:59.999", "2026-01-01"},
		{"day 28 in February", monthly(10, 28), "2025-02-01", "2025-02-27 23:59:59.999", "2025-02-28"},
		{"day 28 in February of a leap year", monthly(10, 28), "2024-02-01", "2024-02-27 23:59:59.999", "2024-02-28"},
		{"day 29 in February", monthly(10, 29), "2025-02-01", "2025-02-27 23:59:59.999", "2025-02-28"},
		{"day 29 in February of a leap year", monthly(10, 29), "2024-02-01", "2024-02-28 23:59:59.999", "2024-02-29"},
		{"day 30 in February", monthly(10, 30), "2025-02-01", "2025-02-27 23:59:59.999", "2025-02-28"},
		{"day 31 in February", monthly(10, 31), "2025-02-01", "2025-02-27 23:59:59.999", "2025-02-28"},
		{"day 31 in February of a leap year", monthly(10, 31), "2024-02-01", "2024-02-28 23:59:59.999", "2024-02-29"},
		{"day 31 in February of 2000", monthly(10, 31), "2000-02-01", "2000-02-28 23:59:59.999", "2000-02-29"},
		{"day 31 in February of 2100", monthly(10, 31), "2100-02-01", "2100-02-27 23:59:59.999", "2100-02-28"},
		{"day 31 in January", monthly(10, 31), "2025-01-01", "2025-01-30 23:59:59.999", "2025-01-31"},
		{"day 31 in April", monthly(10, 31), "2025-04-01", "2025-04-29 23:59:59.999", "2025-04-30"},
		{"day 31, made on 30 April", monthly(10, 31), "2025-04-30 09:00:00.000", "2025-05-30 23:59:59.999", "2025-05-31"},
		{"day 31, made on 28 February", monthly(10, 31), "2025-02-28", "2025-03-30 23:59:59.999", "2025-03-31"},
		{"day 30 in April", monthly(10, 30), "2025-04-01", "2025-04-29 23:59:59.999", "2025-04-30"},
		{"day 30 in May", monthly(10, 30), "2025-05-01", "2025-05-29 23:59:59.999", "2025-05-30"},
	} {
		for _, o := range owners {
			t.Run(row.name+"/"+o.name, func(t *testing.T) {
				s := newLedger(t)
				advance(t, s, row.made)
				require.IsType(t, &fsm.Created{}, o.create(t, s, credits(3, row.refill)))
				require.Equal(t, shown(3, row.refill), o.show(t, s), "nothing is refilled at creation")
				advance(t, s, row.before)
				require.Equal(t, shown(3, row.refill), o.show(t, s))
				advance(t, s, row.due)
				require.Equal(t, shown(10, row.refill), o.show(t, s))
			})
		}
	}
}

// remaining = max(remaining, amount): contract 4.3.
func TestRefill_FillsUpToTheAmount(t *testing.T) {
	for before, after := range map[int64]int64{0: 10, 9: 10, 10: 10, 11: 11, 1000: 1000} {
		forOwners(t, credits(before, daily(10)), func(t *testing.T, s *fsm.State, o owner) {
			advance(t, s, "2025-01-02")
			require.Equal(t, shown(after, daily(10)), o.show(t, s))
		})
	}
}

// A refill comes once per due day, however much is spent after it: contract 4.3.
func TestRefill_ComesOncePerDueDay(t *testing.T) {
	forOwners(t, credits(3, daily(10)), func(t *testing.T, s *fsm.State, o owner) {
		spend := o.move(fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 4})
		advance(t, s, "2025-01-02 00:00:00.000")
		require.Equal(t, &[]fsm.Credits{shown(6, daily(10))}[0], apply(t, s, spend))
		advance(t, s, "2025-01-02 23:59:59.999")
		require.Equal(t, shown(6, daily(10)), o.show(t, s))
		advance(t, s, "2025-01-03")
		require.Equal(t, shown(10, daily(10)), o.show(t, s))
	})
}

// Due days that passed untouched are caught up by one refill, to the amount and not a multiple of it: contract 4.3, D-15.
func TestRefill_CatchesUpOnce(t *testing.T) {
	for _, refill := range []fsm.Refill{daily(10), monthly(10, 15)} {
		forOwners(t, credits(3, refill), func(t *testing.T, s *fsm.State, o owner) {
			spend := o.move(fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 10})
			advance(t, s, "2025-08-20 12:00:00.000")
			require.Equal(t, shown(10, refill), o.show(t, s))
			require.Equal(t, &[]fsm.Credits{shown(0, refill)}[0], apply(t, s, spend))
			advance(t, s, "2025-08-20 23:00:00.000")
			require.Equal(t, shown(0, refill), o.show(t, s), "the days that were missed are settled")
			require.Equal(t, uint64(3+7), s.Stats().Totals.Granted)
		})
	}
}

// Log time that a new leader's clock would turn back does not undo or repeat a refill.
func TestRefill_SurvivesAClockThatRunsBack(t *testing.T) {
	forOwners(t, credits(3, daily(10)), func(t *testing.T, s *fsm.State, o owner) {
		spend := o.move(fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 4})
		advance(t, s, "2025-01-02 00:00:00.001")
		apply(t, s, spend)
		advance(t, s, "2025-01-01 12:00:00.000")
		require.Equal(t, at(t, "2025-01-02 00:00:00.001"), s.Clock())
		advance(t, s, "2025-01-02 00:00:00.002")
		require.Equal(t, shown(6, daily(10)), o.show(t, s))
	})
}

// Counting starts anew when the settings change: contract 4.3. The record has 3; log time is 2025-01-01 10:00.
func TestRefill_ChangedSettingsCountFromTheNextDueDay(t *testing.T) {
	set := func(r fsm.Refill) fsm.CreditsChange { return fsm.CreditsChange{Refill: fsm.Set(r)} }
	for _, row := range []struct {
		name                 string
		before               fsm.NewCredits
		changed              string
		change               fsm.CreditsChange
		atOnce               int64
		notYet, due          string
		balanceBefore, after int64
	}{
		{"none to daily", credits(3), "2025-01-05 10:00:00.000", set(daily(10)), 3, "2025-01-05 23:59:59.999", "2025-01-06", 3, 10},
		{"to monthly on today's day", credits(3), "2025-01-15 10:00:00.000", set(monthly(10, 15)), 3, "2025-02-14", "2025-02-15", 3, 10},
		{"to monthly on a past day", credits(3), "2025-01-15 10:00:00.000", set(monthly(10, 14)), 3, "2025-02-13", "2025-02-14", 3, 10},
		{"to monthly on a later day", credits(3), "2025-01-15 10:00:00.000", set(monthly(10, 16)), 3, "2025-01-15", "2025-01-16", 3, 10},
		{"a larger amount", credits(3, monthly(10, 31)), "2025-01-15", set(monthly(20, 31)), 3, "2025-01-30", "2025-01-31", 3, 20},
		{"a missed day counts under the old settings", credits(3, daily(10)), "2025-01-05", set(daily(20)), 10, "2025-01-05 23:59:59.999", "2025-01-06", 10, 20},
		{"no refill any more", credits(3, daily(10)), "2025-01-01 11:00:00.000", fsm.CreditsChange{Refill: fsm.Clear[fsm.Refill]()}, 3, "2025-01-02", "2025-09-01", 3, 3},
		{"another balance keeps the schedule", credits(3, monthly(10, 2)), "2025-01-01 11:00:00.000", fsm.CreditsChange{Remaining: fsm.Set[int64](5)}, 5, "2025-01-01 23:59:59.999", "2025-01-02", 5, 10},
		{"limited today", fsm.NewCredits{}, "2025-01-05", fsm.CreditsChange{Remaining: fsm.Set[int64](5), Refill: fsm.Set(daily(9))}, 5, "2025-01-05 23:59:59.999", "2025-01-06", 5, 9},
	} {
		t.Run(row.name, func(t *testing.T) {
			forOwners(t, row.before, func(t *testing.T, s *fsm.State, o owner) {
				advance(t, s, row.changed)
				require.Zero(t, code(apply(t, s, o.change(row.change))))
				require.Equal(t, row.atOnce, o.show(t, s).Remaining)
				advance(t, s, row.notYet)
				require.Equal(t, row.balanceBefore, o.show(t, s).Remaining)
				advance(t, s, row.due)
				require.Equal(t, row.after, o.show(t, s).Remaining)
			})
		})
	}
}

// A refused change does not use up a refill that is due.
func TestRefill_SurvivesARefusal(t *testing.T) {
	forOwners(t, credits(3, daily(10)), func(t *testing.T, s *fsm.State, o owner) {
		advance(t, s, "2025-01-02")
		before := s.Digest()
		require.Equal(t, fsm.InvalidInput, code(apply(t, s, o.move(fsm.BalanceChange{Op: fsm.Increment}))))
		require.Equal(t, fsm.InvalidInput, code(apply(t, s, o.change(fsm.CreditsChange{Refill: fsm.Set(monthly(1, 0))}))))
		require.Equal(t, before, s.Digest())
		require.Equal(t, shown(10, daily(10)), o.show(t, s))
	})
}

// Every operation starts from the refilled balance: contract 4.3 and 4.4.
func TestRefill_ComesBeforeAnythingElse(t *testing.T) {
	for name, row := range map[string]struct {
		change fsm.BalanceChange
		want   int64
	}{
		"increment": {fsm.BalanceChange{Op: fsm.Increment, Limited: true, Value: 5}, 15},
		"decrement": {fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 5}, 5},
		"set":       {fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: 5}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			forOwners(t, credits(3, daily(10)), func(t *testing.T, s *fsm.State, o owner) {
				advance(t, s, "2025-01-02")
				require.Equal(t, &[]fsm.Credits{shown(row.want, daily(10))}[0], apply(t, s, o.move(row.change)))
				require.Equal(t, row.want, o.show(t, s).Remaining)
			})
		})
	}
}

// The first verification after midnight has the refilled balance, and a query shows it before that: contract 4.3.
func TestRefill_IsSeenByEveryReader(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newIdentity(t, s, "alice", credits(0, daily(7)), fsm.IdentityPays)
	id := newKey(t, s, 'a', "alice", credits(1, daily(9)))
	require.Equal(t, fsm.UsageExceeded, verify(t, s, 'a', 1).Code)
	advance(t, s, "2025-01-02")
	k := getKey(t, s, id)
	require.Equal(t, shown(9, daily(9)), k.Credits)
	require.Equal(t, shown(7, daily(7)), k.Identity.Credits)
	require.Equal(t, k, s.Answer(root, &fsm.WhoAmI{Hash: fsm.Hash{'a'}}))
	v := verify(t, s, 'a', 7)
	require.Equal(t, fsm.Valid, v.Code)
	require.Zero(t, v.Credits)
}

// A denial shows the refilled balance as well, and writes nothing.
func TestRefill_ShowsInADenial(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01")
	newKey(t, s, 'a', "", credits(1, daily(9)))
	advance(t, s, "2025-01-02")
	verify(t, s, 'a', 10) // dates the key
	before := s.Digest()
	v := verify(t, s, 'a', 10)
	require.Equal(t, fsm.UsageExceeded, v.Code)
	require.EqualValues(t, 9, v.Credits)
	require.Equal(t, before, s.Digest())
}

// Disabled and expired keys are refilled: contract 4.3.
func TestRefill_ReachesDisabledAndExpiredKeys(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01")
	disabled, expired := newKey(t, s, 'a', "", credits(1, daily(9))), newKey(t, s, 'b', "", credits(1, daily(9)))
	apply(t, s, &fsm.UpdateKey{KeyID: disabled, Enabled: fsm.Set(false)})
	apply(t, s, &fsm.UpdateKey{KeyID: expired, Expires: fsm.Set[int64](0)})
	advance(t, s, "2025-01-02")
	require.EqualValues(t, 9, getKey(t, s, disabled).Credits.Remaining)
	require.EqualValues(t, 9, getKey(t, s, expired).Credits.Remaining)
	require.EqualValues(t, 9, verify(t, s, 'a', 1).Credits)
	require.EqualValues(t, 9, verify(t, s, 'b', 1).Credits)
}

// A refill that raised the balance counts as an update of the key, at midnight of the due day; one that did not, does not:
// contract 4.3.
func TestRefill_DatesTheKey(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	low, full := newKey(t, s, 'a', "", credits(1, monthly(9, 2))), newKey(t, s, 'b', "", credits(9, monthly(9, 2)))
	require.Zero(t, getKey(t, s, low).UpdatedAt)
	advance(t, s, "2025-01-02 10:00:00.000")
	require.Equal(t, at(t, "2025-01-02"), getKey(t, s, low).UpdatedAt)
	require.Zero(t, getKey(t, s, full).UpdatedAt)

	// It survives a charge, and set, increment and decrement.
	verify(t, s, 'a', 1)
	for _, op := range []fsm.BalanceOp{fsm.SetBalance, fsm.Increment, fsm.Decrement} {
		apply(t, s, &fsm.UpdateKeyCredits{KeyID: low, Change: fsm.BalanceChange{Op: op, Limited: true, Value: 9}})
		require.Equal(t, at(t, "2025-01-02"), getKey(t, s, low).UpdatedAt)
	}
	apply(t, s, &fsm.UpdateKey{KeyID: low})
	require.Equal(t, at(t, "2025-01-02 10:00:00.000"), getKey(t, s, low).UpdatedAt, "a later update wins")
}

// An identity's refill is no update of its keys.
func TestRefill_OfTheIdentityDoesNotDateTheKey(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newIdentity(t, s, "alice", credits(0, daily(7)), fsm.IdentityPays)
	id := newKey(t, s, 'a', "alice", fsm.NewCredits{})
	advance(t, s, "2025-01-02")
	require.EqualValues(t, 7, getKey(t, s, id).Identity.Credits.Remaining)
	require.Zero(t, getKey(t, s, id).UpdatedAt)
}

// The balance of what was deleted is not refilled: the totals would show it. Contract 4.3 and 4.10.
func TestRefill_SkipsWhatWasDeleted(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01")
	newIdentity(t, s, "alice", credits(1, daily(100)), fsm.IdentityPays)
	newKey(t, s, 'a', "alice", credits(2, daily(100)))
	newKey(t, s, 'b', "alice", fsm.NewCredits{})
	apply(t, s, &fsm.DeleteIdentity{Identity: "alice"})
	apply(t, s, &fsm.DeleteKey{KeyID: "key_a"})
	advance(t, s, "2025-01-05")
	require.Equal(t, fsm.NotFound, verify(t, s, 'a', 1).Code)
	require.Equal(t, nothingLeft, charge(t, s, 'b'))
	require.EqualValues(t, 3, s.Stats().Totals.Granted)
}
