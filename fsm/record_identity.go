package fsm

import "github.com/creditd/creditd/fsm/fields"

// IdentityRecord is an identity at rest.
type IdentityRecord struct {
	ID          string
	ExternalID  string
	WorkspaceID string
	Meta        string
	Policy      Policy
	CreatedAt   int64
	Deleted     bool
	Ratelimits  []Ratelimit // by name
}

var identityRecordType = recordType{kind: IdentityKind, since: 1, create: createRecord[IdentityRecord]}

func (*IdentityRecord) is() *recordType { return &identityRecordType }

// Key names the record.
func (r *IdentityRecord) Key() RecordKey { return RecordKey{IdentityKind, r.ID} }

func (r *IdentityRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.ExternalID)
	v.String(&r.WorkspaceID)
	v.String(&r.Meta)
	r.Policy.fields(v)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Deleted)
	visitRatelimits(&r.Ratelimits, v)
}
