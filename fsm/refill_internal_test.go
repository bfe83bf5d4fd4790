package fsm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// daysOf400Years is one whole turn of the Gregorian calendar.
const daysOf400Years = 146_097

// The calendar agrees with package time on every day of 400 years.
func TestCivil_AgreesWithPackageTime(t *testing.T) {
	for day := range int64(daysOf400Years + 1) {
		want := time.Unix(day*86_400, 0).UTC()
		year, month, dom := civil(day)
		if int(year) != want.Year() || int(month) != int(want.Month()) || int(dom) != want.Day() {
			require.Failf(t, "civil", "day %d is %d-%d-%d, want %v", day, year, month, dom, want)
		}
		if got := daysFromCivil(year, month, dom); got != day {
			require.Failf(t, "daysFromCivil", "%d-%d-%d is day %d, want %d", year, month, dom, got, day)
		}
	}
}

// For every day of 400 years and every refillDay, the last due day equals the one that a walk through package time's calendar met last:
// contract 4.3.
func TestRefill_LastDueAgreesWithPackageTime(t *testing.T) {
	var last [32]int64
	for day := int64(-31); day <= daysOf400Years; day++ {
		date := time.Unix(day*86_400, 0).UTC()
		lastOfMonth := date.AddDate(0, 0, 1).Day() == 1
		for d := 1; d <= 31; d++ {
			if date.Day() == d || lastOfMonth && d > date.Day() {
				last[d] = day
			}
			if day < 0 {
				continue
			}
			if got := (Refill{Interval: Monthly, Amount: 1, Day: uint8(d)}).lastDue(day); got != last[d] {
				require.Failf(t, "lastDue", "refillDay %d on %v: day %d, want %d", d, date, got, last[d])
			}
		}
		if day >= 0 {
			require.Equal(t, day, (Refill{Interval: Daily, Amount: 1}).lastDue(day))
		}
	}
}

// A day begins at 00:00:00.000 UTC.
func TestDayOf_BeginsAtMidnight(t *testing.T) {
	require.EqualValues(t, 0, dayOf(0))
	require.EqualValues(t, 0, dayOf(dayMillis-1))
	require.EqualValues(t, 1, dayOf(dayMillis))
}
