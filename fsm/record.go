package fsm

import (
	"github.com/creditd/creditd/fsm/fields"
)

// Kind is the kind of a record. The numbers are on disk. Records are restored in their order, so a kind comes after the kinds that it
// refers to. There are gaps for new kinds.
type Kind uint8

// The kinds.
const (
	MetaKind           Kind = 1
	WorkspaceKind      Kind = 10
	RootKeyKind        Kind = 20
	APIKind            Kind = 30
	MigrationKind      Kind = 35
	PermissionKind     Kind = 40
	RoleKind           Kind = 50
	IdentityKind       Kind = 60
	KeyKind            Kind = 70
	IdentityCreditKind Kind = 80
	KeyCreditKind      Kind = 90
	ImportMarkKind     Kind = 95
	SweepKind          Kind = 96
	SessionKind        Kind = 140
	AuditKind          Kind = 160
	IdempotencyKind    Kind = 150
)

// The kinds of rate limits.
const (
	NamespaceKind Kind = 100
	OverrideKind  Kind = 110
	WindowKind    Kind = 120
)

// RecordKey is the name of a record. It never changes.
type RecordKey struct {
	Kind Kind
	ID   string
}

// Record is how an entity is stored on disk: plain values. Each kind has a row in the registry.
type Record interface {
	is() *recordType
	fields(v *fields.Visitor)
	Key() RecordKey
}

// recordType describes all records of a kind.
type recordType struct {
	kind   Kind
	since  uint64 // the ledger version that the kind came with
	newest uint64 // the ledger version that its youngest field came with; 0: none was added
	create func(spare Record) Record
}

// createRecord returns an empty record: an earlier one that nobody needs any more, if there is one of the type.
func createRecord[T any, P interface {
	*T
	Record
}](spare Record) Record {
	r, ok := spare.(P)
	if !ok {
		return P(new(T))
	}
	*r = *new(T)
	return r
}

// compound is a record whose name is made of several fields.
type compound interface {
	Record
	// appendID appends the ID of the record's key.
	appendID(buf []byte) []byte
}

// KindOf returns the kind of a record.
func KindOf(r Record) Kind { return r.is().kind }

// AppendRecordID appends the ID of a record's key.
func AppendRecordID(buf []byte, r Record) []byte {
	if c, ok := r.(compound); ok {
		return c.appendID(buf)
	}
	return append(buf, r.Key().ID...)
}
