package fsm

import "github.com/creditd/creditd/fsm/fields"

// Limited is the answer to Limit.
type Limited struct {
	Passed   bool
	Requests []LimitedRequest // in the order of the requests
}

var limitedResultType = resultType{kind: 50, since: 1, answers: true, create: createResult[Limited]}

func (*Limited) is() *resultType { return &limitedResultType }

func (r *Limited) fields(v *fields.Visitor) {
	v.Bool(&r.Passed)
	fields.List(v, &r.Requests, (*LimitedRequest).fields)
}

// LimitedRequest is the state of one rate limit afterwards.
type LimitedRequest struct {
	Passed     bool
	Limit      int64
	Remaining  int64
	Reset      int64  // Unix ms: the end of the fixed window
	OverrideID string // empty: none applied
}

func (r *LimitedRequest) fields(v *fields.Visitor) {
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

// Overrides is a page of them, in the order of their ids.
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
