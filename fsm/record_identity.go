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
	// What a deletion left behind came with ledger version 2.
	HadBalance  bool // its keys without a balance of their own have nothing to spend
	KeysDeleted bool // its keys are deleted with it
}

var identityRecordType = recordType{kind: IdentityKind, since: 1, newest: 2, create: createRecord[IdentityRecord]}

func (*IdentityRecord) is() *recordType { return &identityRecordType }

// Key names the record.
func (r *IdentityRecord) Key() RecordKey { return RecordKey{IdentityKind, r.ID} }

func (r *IdentityRecord) fields(v *fields.Visitor) {
	r.head(v)
	r.tail(v)
}

// head shows the fields up to the meta: see headHash.
func (r *IdentityRecord) head(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.ExternalID)
	v.String(&r.WorkspaceID)
	v.String(&r.Meta)
}

func (r *IdentityRecord) tail(v *fields.Visitor) {
	r.Policy.fields(v)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Deleted)
	visitRatelimits(&r.Ratelimits, v)
	if v.Added(2, r.HadBalance || r.KeysDeleted) {
		v.Bool(&r.HadBalance)
		v.Bool(&r.KeysDeleted)
	}
}
