package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Verdict is the answer to a verification. See contract 3.7 for the fields that each code shows.
type Verdict struct {
	nextVerdict
	Code     VerdictCode
	Enabled  bool
	Limited  bool  // whether Credits is shown
	Credits  int64 // remaining credits of the record that pays
	Expires  int64 // Unix ms, or Never
	KeyID    string
	Name     string
	Meta     string
	Identity *VerdictIdentity // nil: none
	Access   *VerdictAccess   // nil: none
	// Ratelimits are the rate limits that were checked, in no particular order.
	Ratelimits []RatelimitState
}

var verdictResultType = resultType{kind: 8, since: 1, newest: nextVersion, answers: true, create: createResult[Verdict]}

func (*Verdict) is() *resultType { return &verdictResultType }

func (r *Verdict) fields(v *fields.Visitor) {
	fields.Known(v, &r.Code)
	v.Bool(&r.Enabled)
	v.Bool(&r.Limited)
	v.Int(&r.Credits)
	v.Int(&r.Expires)
	v.String(&r.KeyID)
	v.String(&r.Name)
	v.String(&r.Meta)
	if fields.Optional(v, &r.Identity) {
		r.Identity.fields(v)
	}
	if fields.Optional(v, &r.Access) {
		r.Access.fields(v)
	}
	for i := range fields.Count(v, &r.Ratelimits) {
		if state := fields.At(v, &r.Ratelimits, i); state != nil {
			state.fields(v)
		}
	}
	r.nextVerdict.fields(v)
}

// AppendVerdict writes a verdict as VisitResult does, but keeps the visitor off the heap, because most results are verdicts.
func AppendVerdict(buf []byte, r *Verdict) []byte {
	v := fields.MakeWriter(buf)
	writeForm(&v, verdictResultType.kind, oldestForm(&v, r, verdictResultType.since, verdictResultType.newest))
	r.fields(&v)
	return v.Bytes()
}

// VerdictCode says whether a verification passed, and if not, why. See contract 3.2.
type VerdictCode uint8

// The verdict codes. Their numbers travel between nodes: append only.
const (
	Valid VerdictCode = iota + 1
	NotFound
	Disabled
	Expired
	Forbidden
	UsageExceeded
)

// NotPermitted: the permission query is not satisfied.
const NotPermitted VerdictCode = 10

// RateLimited: a rate limit is exceeded.
const RateLimited VerdictCode = 20

// Known reports whether there is such a code.
func (o VerdictCode) Known() bool {
	return o >= Valid && o <= UsageExceeded || o == NotPermitted || o == RateLimited
}

// VerdictIdentity is the identity as a verdict shows it.
type VerdictIdentity struct {
	ID, ExternalID, Meta string
	Ratelimits           []Ratelimit // without those that the key replaces by one of the same name
}

func (r *VerdictIdentity) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.ExternalID)
	v.String(&r.Meta)
	visitRatelimits(&r.Ratelimits, v)
}

// VerdictAccess holds the permissions and roles as a verdict shows them: see Key.
type VerdictAccess struct{ Permissions, Roles []string }

func (r *VerdictAccess) fields(v *fields.Visitor) {
	v.Strings(&r.Permissions)
	v.Strings(&r.Roles)
}

// RatelimitState is a checked rate limit as a verdict shows it. See contract 3.6.
type RatelimitState struct {
	Ratelimit
	Reset     int64 // Unix ms: the end of the fixed window
	Remaining int64
	Exceeded  bool
}

func (r *RatelimitState) fields(v *fields.Visitor) {
	r.Ratelimit.fields(v)
	v.Int(&r.Reset)
	v.Int(&r.Remaining)
	v.Bool(&r.Exceeded)
}

// Verdicts is the answer to VerifyKeys.
type Verdicts struct {
	Results []Result // in the order of the items: *Verdict, or *Refusal
	Passed  bool     // of an atomic request: all items passed and were executed
}

var verdictsResultType = resultType{kind: 80, since: 1, answers: true, create: createResult[Verdicts]}

func (*Verdicts) is() *resultType { return &verdictsResultType }

func (r *Verdicts) fields(v *fields.Visitor) {
	v.Bool(&r.Passed)
	fields.List(v, &r.Results, func(item *Result, v *fields.Visitor) {
		if kind, ok := nextKind(v); ok && kind != verdictResultType.kind && kind != refusalResultType.kind {
			v.Fail(fmt.Errorf("a verification was answered with a result of kind %d", kind))
			return
		}
		VisitResult(v, item)
	})
}

// Preview is the verdict that a verification would get, and the balances that would pay.
type Preview struct {
	Verdict Verdict
	Payers  []Payer // none: nothing limits the key, or there is no key
}

// Payer is a balance before a debit.
type Payer struct {
	Identity bool // of an identity, or else of a key
	ID       string
	Credits  Credits
}

var previewResultType = resultType{kind: 27, since: 1, newest: nextVersion, create: createResult[Preview]}

func (*Preview) is() *resultType { return &previewResultType }

func (r *Preview) fields(v *fields.Visitor) {
	r.Verdict.fields(v)
	fields.List(v, &r.Payers, (*Payer).fields)
}

func (p *Payer) fields(v *fields.Visitor) {
	v.Bool(&p.Identity)
	v.String(&p.ID)
	p.Credits.fields(v)
}
