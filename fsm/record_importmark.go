package fsm

import "github.com/creditd/creditd/fsm/fields"

// ImportMarkRecord is what an owner had in the system that its balance was imported from. It outlives its owner: see records.md.
type ImportMarkRecord struct {
	Owner       string
	Of          MarkedKind
	WorkspaceID string
	Limited     bool
	Remaining   int64
	RefilledAt  int64 // Unix ms; 0: never
	ReadAt      int64 // when the source was read, Unix ms; 0: unknown

	// Since ledger version 5:
	Exact bool       // Bases has every refill that the ledger gave since
	Bases []MarkBase // in the order of their days
}

// MarkBase is what a balance of the source counts from that shows a refill of that day or later; a Remaining that shows none counts from
// the one before.
type MarkBase struct {
	Day  int64 // since 1970-01-01
	Base int64 // below 0 when the source spent what the ledger refilled
}

func (b *MarkBase) fields(v *fields.Visitor) {
	v.Int(&b.Day)
	v.Int(&b.Base)
}

// MarkedKind is the kind of a thing that a mark remembers. The numbers are stored: append only.
type MarkedKind uint8

// The kinds. An API has no balance: its mark says only that it was imported.
const (
	MarkedKey MarkedKind = iota
	MarkedIdentity
	MarkedAPI
)

var importMarkRecordType = recordType{kind: ImportMarkKind, since: 4, newest: 5, create: createRecord[ImportMarkRecord]}

func (*ImportMarkRecord) is() *recordType { return &importMarkRecordType }

// Key names the record.
func (r *ImportMarkRecord) Key() RecordKey {
	return RecordKey{ImportMarkKind, markID(r.Owner, r.Of)}
}

func markID(owner string, of MarkedKind) string { return [...]string{"k/", "i/", "a/"}[of] + owner }

func (r *ImportMarkRecord) fields(v *fields.Visitor) {
	v.String(&r.Owner)
	fields.Enum(v, &r.Of, MarkedKey, MarkedAPI)
	v.String(&r.WorkspaceID)
	v.Bool(&r.Limited)
	v.Int(&r.Remaining)
	v.Int(&r.RefilledAt)
	v.Int(&r.ReadAt)
	if v.Added(5, r.Exact || len(r.Bases) > 0) {
		v.Bool(&r.Exact)
		fields.List(v, &r.Bases, (*MarkBase).fields)
	}
}
