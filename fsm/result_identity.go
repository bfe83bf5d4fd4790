package fsm

import "github.com/creditd/creditd/fsm/fields"

// Credits are a balance as shown to a caller. Limited false is unlimited.
type Credits struct {
	Limited   bool
	Remaining int64
	Refill    Refill
}

var creditsResultType = resultType{kind: 4, since: 1, answers: true, create: createResult[Credits]}

func (*Credits) is() *resultType { return &creditsResultType }

func (r *Credits) fields(v *fields.Visitor) {
	v.Bool(&r.Limited)
	v.Int(&r.Remaining)
	r.Refill.fields(v)
}

// Identity is what identities.getIdentity shows.
type Identity struct {
	ID         string
	ExternalID string
	Meta       string
	Credits    Credits
	Policy     Policy
	Ratelimits []Ratelimit
}

var identityResultType = resultType{kind: 6, since: 1, answers: true, create: createResult[Identity]}

func (*Identity) is() *resultType { return &identityResultType }

func (r *Identity) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.ExternalID)
	v.String(&r.Meta)
	r.Credits.fields(v)
	r.Policy.fields(v)
	visitRatelimits(&r.Ratelimits, v)
}

// Identities is a page of identities.
type Identities struct {
	List []Identity
	Next string
}

var identitiesResultType = resultType{kind: 21, since: 1, create: createResult[Identities]}

func (*Identities) is() *resultType { return &identitiesResultType }

func (r *Identities) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*Identity).fields)
	v.String(&r.Next)
}
