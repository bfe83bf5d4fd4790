package shadow

import "time"

// The verdict codes that are more than a text here.
const (
	valid         = "VALID"
	usageExceeded = "USAGE_EXCEEDED"
	rateLimited   = "RATE_LIMITED"
)

// Verdict is what creditd would answer, as keys.previewVerification says it. A refusal is a verdict whose code is the kind of the error.
type Verdict struct {
	Valid  bool    `json:"valid"`
	Code   string  `json:"code"`
	KeyID  string  `json:"keyId"`
	Payers []Payer `json:"payers"`
}

// Payer is a balance that would pay.
type Payer struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Credits struct {
		Remaining int64 `json:"remaining"`
		Refill    *struct {
			Interval  string `json:"interval"`
			Amount    int64  `json:"amount"`
			RefillDay int    `json:"refillDay"`
		} `json:"refill"`
	} `json:"credits"`
}

// Kind is a kind of difference.
type Kind string

// The kinds. A record has at most one, the first that applies.
const (
	DeniedWrongly   Kind = "denied_wrongly"   // the other system admitted, creditd would not
	AdmittedWrongly Kind = "admitted_wrongly" // the other way round
	OtherCode       Kind = "other_code"       // both deny, for different reasons
	OtherBalance    Kind = "other_balance"    // same decision, other remaining credits
	NotReplayed     Kind = "rate_limited"     // a rate limit of the other system denied: nothing to compare
)

// Answer is one side of a difference.
type Answer struct {
	Valid     bool   `json:"valid"`
	Code      string `json:"code,omitempty"`
	Remaining *int64 `json:"remaining,omitempty"`
}

// Difference is a record that creditd would have answered otherwise. It never has the key.
type Difference struct {
	Line    int64  `json:"line"`
	Kind    Kind   `json:"kind"`
	Time    int64  `json:"time,omitempty"`
	KeyHash string `json:"keyHash"`
	KeyID   string `json:"keyId,omitempty"`
	Cost    int64  `json:"cost"`
	Other   Answer `json:"other"`
	Creditd Answer `json:"creditd"`
}

// judge decides records one after the other.
type judge struct {
	accounts    map[accountName]*account
	maxAccounts int
	untracked   int64 // records whose balance is not in accounts, because there are too many
}

type accountName struct{ kind, id string }

// account is what the run has admitted at the cost of one balance.
type account struct {
	spent int64
	day   int64 // of its last record, in days since 1970
}

func newJudge(maxAccounts int) *judge {
	return &judge{accounts: make(map[accountName]*account), maxAccounts: maxAccounts}
}

// judge compares one record with the verdict on the present balances; nil: both agree.
func (j *judge) judge(line int64, r *Record, v *Verdict) *Difference {
	ours := j.decide(r, v)
	theirs := Answer{Valid: *r.Valid, Code: r.Code, Remaining: r.Remaining}
	if theirs.Valid {
		theirs.Code = valid
	}
	kind := compare(theirs, ours)
	if kind == "" {
		return nil
	}
	return &Difference{
		Line: line, Kind: kind, Time: r.Time, KeyHash: r.hash(), KeyID: v.KeyID, Cost: r.cost(), Other: theirs, Creditd: ours,
	}
}

func compare(theirs, ours Answer) Kind {
	switch {
	case theirs.Code == rateLimited && (ours.Code == valid || ours.Code == usageExceeded):
		return NotReplayed
	case theirs.Valid && !ours.Valid:
		return DeniedWrongly
	case !theirs.Valid && ours.Valid:
		return AdmittedWrongly
	case theirs.Code != "" && theirs.Code != ours.Code:
		return OtherCode
	case theirs.Remaining != nil && (ours.Code == valid || ours.Code == usageExceeded) &&
		(ours.Remaining == nil || *theirs.Remaining != *ours.Remaining):
		return OtherBalance
	}
	return ""
}

// decide is the verdict after everything that the run has admitted so far, and counts the record if it is admitted.
func (j *judge) decide(r *Record, v *Verdict) Answer {
	ours := Answer{Valid: v.Valid, Code: v.Code}
	if len(v.Payers) == 0 || v.Code != valid && v.Code != usageExceeded {
		return ours
	}
	cost, least := r.cost(), int64(0)
	paying := make([]*account, len(v.Payers))
	for i := range v.Payers {
		p := &v.Payers[i]
		paying[i] = j.account(p)
		paying[i].refill(p, r.Time)
		left := max(0, p.Credits.Remaining-paying[i].spent)
		if i == 0 || left < least {
			least = left
		}
	}
	ours.Valid, ours.Code = true, valid
	if least < cost {
		ours.Valid, ours.Code = false, usageExceeded
	}
	if ours.Valid && r.Code != rateLimited { // what a rate limit denies is not debited, there or here
		least -= cost
		for _, a := range paying {
			a.spent += cost
		}
	}
	ours.Remaining = &least
	return ours
}

// account finds the account of a balance. Beyond the bound it has no memory.
func (j *judge) account(p *Payer) *account {
	name := accountName{p.Type, p.ID}
	a := j.accounts[name]
	switch {
	case a != nil:
	case len(j.accounts) < j.maxAccounts:
		a = &account{}
		j.accounts[name] = a
	default:
		j.untracked++
		a = &account{}
	}
	return a
}

const dayMillis = 86_400_000

// refill does what creditd would have done at a due day between two records: raise the balance to the amount. See contract 4.3.
func (a *account) refill(p *Payer, at int64) {
	day := at / dayMillis
	if refill := p.Credits.Refill; refill != nil && a.day > 0 && lastDue(refill.Interval, refill.RefillDay, day) > a.day {
		a.spent = min(a.spent, max(0, p.Credits.Remaining-refill.Amount))
	}
	a.day = max(a.day, day)
}

// lastDue is the latest due day at or before a day. A day that a month does not have is its last one.
func lastDue(interval string, refillDay int, day int64) int64 {
	if interval == "daily" {
		return day
	}
	at := time.UnixMilli(day * dayMillis).UTC()
	dueIn := func(year int, month time.Month) int64 {
		last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return time.Date(year, month, min(refillDay, last), 0, 0, 0, 0, time.UTC).UnixMilli() / dayMillis
	}
	if due := dueIn(at.Year(), at.Month()); due <= day {
		return due
	}
	before := time.Date(at.Year(), at.Month(), 0, 0, 0, 0, 0, time.UTC)
	return dueIn(before.Year(), before.Month())
}
