package unkey

import (
	"context"
	"fmt"
	"time"

	"github.com/creditd/creditd/api/records"
)

const day = 24 * time.Hour

// refillDays says which refills the source has decided. Unkey gives a refill on its due day only, once, and only to a balance below the
// amount. So what it did not give before today, it never gives. DESIGN.md has the reasons.
type refillDays struct {
	now     time.Time    // by the source's clock
	decided records.Time // a time on the last day whose refills are decided
}

// readRefillDays looks whether the source gave refills today.
func (s *Source) readRefillDays(ctx context.Context) error {
	statement := "SELECT DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%d %H:%i:%s.%f')"
	if s.has("keys", "last_refill_at") {
		statement += ", (SELECT MAX(last_refill_at) >= UTC_DATE() FROM `keys`)"
	} else {
		statement += ", 0"
	}
	if s.has("credits", "refilled_at") {
		// UNIX_TIMESTAMP would read a text in the time zone of the session; a difference of two times in UTC has no zone.
		statement += ", (SELECT MAX(refilled_at) >= TIMESTAMPDIFF(SECOND, '1970-01-01', UTC_DATE()) * 1000 FROM credits)"
	} else {
		statement += ", 0"
	}
	s.opened = time.Now() // earlier than the answer, so the clock is never ahead
	var wrong error
	err := s.each(ctx, statement, nil, func(r row) {
		if s.days.now, wrong = time.Parse("2006-01-02 15:04:05", r.at(0)); wrong != nil {
			return
		}
		last := s.days.now.Truncate(day)
		if r.at(1) != "1" && r.at(2) != "1" {
			last = last.Add(-day)
		}
		s.days.decided = records.Time(last.UnixMilli())
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return fmt.Errorf("ask the database for the time: %w", err)
	}
	return nil
}

// Now is the time at the source when it was opened.
func (s *Source) Now() time.Time { return s.days.now }

// clock is the time at the source now.
func (s *Source) clock() time.Time { return s.days.now.Add(time.Since(s.opened)) }
