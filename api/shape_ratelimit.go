package api

import (
	"strconv"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

// The rate limits of keys and identities, docs/contract.md 2.0 and 3.6, in requests and in answers.

type ratelimitConfig struct {
	_         schema.Loose
	Name      string `json:"name" schema:"required,minLength=3,maxLength=128"`
	Limit     int64  `json:"limit" schema:"required,minimum=1"`
	Duration  int64  `json:"duration" schema:"required,minimum=1000,maximum=31622400000"`
	AutoApply bool   `json:"autoApply" schema:"required"`
}

// newRatelimits converts a list. Each gets an id; the ledger keeps the old one where the name was there already.
func newRatelimits(list []ratelimitConfig) []fsm.Ratelimit {
	if len(list) == 0 {
		return nil
	}
	limits := make([]fsm.Ratelimit, len(list))
	for i, r := range list {
		limits[i] = fsm.Ratelimit{
			ID: mint.ID(mint.Ratelimit), Name: r.Name, Limit: r.Limit, Duration: r.Duration, AutoApply: r.AutoApply,
		}
	}
	return limits
}

// ratelimitsChange converts a list that replaces another; nil: the request has none.
func ratelimitsChange(list []ratelimitConfig) fsm.Field[[]fsm.Ratelimit] {
	if list == nil {
		return fsm.Field[[]fsm.Ratelimit]{}
	}
	return fsm.Set(newRatelimits(list))
}

type ratelimitCheck struct {
	_        schema.Loose
	Name     string                 `json:"name" schema:"required,minLength=3,maxLength=255"`
	Cost     int64                  `json:"cost" schema:"minimum=0,default=1"`
	Limit    schema.Optional[int64] `json:"limit" schema:"minimum=0"`
	Duration schema.Optional[int64] `json:"duration" schema:"minimum=0,maximum=2592000000"`
}

// ratelimitChecks converts what a verification asks. Only limit and duration together make an ad-hoc rate limit.
func ratelimitChecks(list []ratelimitCheck) []fsm.RatelimitCheck {
	if len(list) == 0 {
		return nil
	}
	checks := make([]fsm.RatelimitCheck, len(list))
	for i, r := range list {
		checks[i] = fsm.RatelimitCheck{Name: r.Name, Cost: r.Cost}
		if r.Limit.Set() && r.Duration.Set() {
			checks[i].AdHoc, checks[i].Limit, checks[i].Duration = true, r.Limit.Value, r.Duration.Value
		}
	}
	return checks
}

type ratelimitOut struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Limit     int64  `json:"limit"`
	Duration  int64  `json:"duration"`
	AutoApply bool   `json:"autoApply"`
}

func showRatelimits(list []fsm.Ratelimit) []ratelimitOut {
	return showList(list, func(r *fsm.Ratelimit) ratelimitOut { return ratelimitOut(*r) })
}

// appendRatelimits appends the configurations of an identity, as a verification shows them.
func appendRatelimits(b []byte, list []fsm.Ratelimit) []byte {
	for i := range list {
		b = appendItem(b, i)
		b = append(appendRatelimit(b, &list[i]), '}')
	}
	return endItems(b, len(list))
}

// appendRatelimitStates appends what a verification checked.
func appendRatelimitStates(b []byte, list []fsm.RatelimitState) []byte {
	for i := range list {
		r := &list[i]
		b = appendItem(b, i)
		b = appendRatelimit(b, &r.Ratelimit)
		b = append(b, `,"reset":`...)
		b = strconv.AppendInt(b, r.Reset, 10)
		b = append(b, `,"remaining":`...)
		b = strconv.AppendInt(b, r.Remaining, 10)
		b = append(b, `,"exceeded":`...)
		b = append(strconv.AppendBool(b, r.Exceeded), '}')
	}
	return endItems(b, len(list))
}

// appendItem begins the i-th item of the field ratelimits, and the field with the first.
func appendItem(b []byte, i int) []byte {
	if i == 0 {
		return append(b, `,"ratelimits":[`...)
	}
	return append(b, ',')
}

func endItems(b []byte, n int) []byte {
	if n == 0 {
		return b
	}
	return append(b, ']')
}

// appendRatelimit appends a rate limit without the closing brace.
func appendRatelimit(b []byte, r *fsm.Ratelimit) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, r.ID)
	b = append(b, `,"name":`...)
	b = appendString(b, r.Name)
	b = append(b, `,"limit":`...)
	b = strconv.AppendInt(b, r.Limit, 10)
	b = append(b, `,"duration":`...)
	b = strconv.AppendInt(b, r.Duration, 10)
	b = append(b, `,"autoApply":`...)
	return strconv.AppendBool(b, r.AutoApply)
}
