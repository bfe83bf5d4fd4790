package fsm

import "github.com/creditd/creditd/fsm/fields"

// RatelimitResults is the answer to ConsumeRatelimits.
type RatelimitResults struct {
	Passed   bool
	Requests []RatelimitResult // in the order of the requests
}

var ratelimitResultsType = resultType{kind: 50, since: 1, answers: true, create: createResult[RatelimitResults]}

func (*RatelimitResults) is() *resultType { return &ratelimitResultsType }

func (r *RatelimitResults) fields(v *fields.Visitor) {
	v.Bool(&r.Passed)
	fields.List(v, &r.Requests, (*RatelimitResult).fields)
}

// RatelimitResult is the state of one rate limit after a request.
type RatelimitResult struct {
	Passed     bool
	Limit      int64
	Remaining  int64
	Reset      int64  // Unix ms: the end of the fixed window
	OverrideID string // empty: none applied
}

func (r *RatelimitResult) fields(v *fields.Visitor) {
	v.Bool(&r.Passed)
	v.Int(&r.Limit)
	v.Int(&r.Remaining)
	v.Int(&r.Reset)
	v.String(&r.OverrideID)
}

// Override is what ratelimit.getOverride shows.
type Override struct {
	ID         string
	Identifier string
	Limit      int64
	Duration   int64 // ms
}

var overrideResultType = resultType{kind: 51, since: 1, create: createResult[Override]}

func (*Override) is() *resultType { return &overrideResultType }

func (r *Override) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Identifier)
	v.Int(&r.Limit)
	v.Int(&r.Duration)
}

// Overrides is a page of overrides, in the order of their ids.
type Overrides struct {
	List []Override
	Next string // id of the first one of the next page; empty: there is none
}

var overridesResultType = resultType{kind: 52, since: 1, create: createResult[Overrides]}

func (*Overrides) is() *resultType { return &overridesResultType }

func (r *Overrides) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*Override).fields)
	v.String(&r.Next)
}
