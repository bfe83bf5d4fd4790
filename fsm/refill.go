package fsm

const dayMillis = 86_400_000

// dayOf returns the UTC calendar day of a time in Unix ms, as days since 1970-01-01. Log time is never negative.
func dayOf(millis int64) int64 { return millis / dayMillis }

// lastDue returns the latest due day at or before today. A monthly refill whose day the month does not have is due on the last day of the
// month. See contract 4.3.
func (r Refill) lastDue(today int64) int64 {
	if r.Interval == Daily {
		return today
	}
	year, month, _ := civil(today)
	due := r.dueIn(year, month)
	if due > today {
		if month--; month == 0 {
			year, month = year-1, 12
		}
		due = r.dueIn(year, month)
	}
	return due
}

// firstDue returns the first due day after the given day. On that day the refill raised a balance that nothing has changed since.
func (r Refill) firstDue(after int64) int64 {
	if r.Interval == Daily {
		return after + 1
	}
	year, month, _ := civil(after)
	if due := r.dueIn(year, month); due > after {
		return due
	}
	return r.dueIn(year+month/12, month%12+1)
}

// dueIn returns the due day of a monthly refill in the given month.
func (r Refill) dueIn(year, month int64) int64 {
	first := daysFromCivil(year, month, 1)
	next := daysFromCivil(year+month/12, month%12+1, 1)
	return first + min(int64(r.Day), next-first) - 1
}

// civil converts days since 1970-01-01 to a date of the proleptic Gregorian calendar. Its years begin on 1 March, so that the leap day
// comes last; its eras of 400 years all have 146,097 days. Valid for days >= 0.
func civil(days int64) (year, month, day int64) {
	days += 719_468 // from 0000-03-01
	era, doe := days/146_097, days%146_097
	yoe := (doe - doe/1_460 + doe/36_524 - doe/146_096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	m := (5*doy + 2) / 153 // 0 is March
	day = doy - (153*m+2)/5 + 1
	month = (m+2)%12 + 1
	year = era*400 + yoe
	if month <= 2 {
		year++
	}
	return year, month, day
}

// daysFromCivil is the inverse of civil, for years >= 1.
func daysFromCivil(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era, yoe := year/400, year%400
	m := (month + 9) % 12
	doy := (153*m+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146_097 + doe - 719_468
}
