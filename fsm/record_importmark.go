package fsm

import "github.com/creditd/creditd/fsm/fields"

// ImportMarkRecord is what an owner had in the system that its balance was imported from.
type ImportMarkRecord struct {
	Owner       string
	Identity    bool // whether the owner is an identity
	WorkspaceID string
	Limited     bool
	Remaining   int64
	RefilledAt  int64 // Unix ms; 0: never
	ReadAt      int64 // when the source was read, Unix ms; 0: unknown
}

var importMarkRecordType = recordType{kind: ImportMarkKind, since: 4, create: createRecord[ImportMarkRecord]}

func (*ImportMarkRecord) is() *recordType { return &importMarkRecordType }

// Key names the record.
func (r *ImportMarkRecord) Key() RecordKey {
	return RecordKey{ImportMarkKind, markID(r.Owner, r.Identity)}
}

func markID(owner string, identity bool) string {
	if identity {
		return "i/" + owner
	}
	return "k/" + owner
}

func (r *ImportMarkRecord) fields(v *fields.Visitor) {
	v.String(&r.Owner)
	v.Bool(&r.Identity)
	v.String(&r.WorkspaceID)
	v.Bool(&r.Limited)
	v.Int(&r.Remaining)
	v.Int(&r.RefilledAt)
	v.Int(&r.ReadAt)
}
