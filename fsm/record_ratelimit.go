package fsm

import (
	"strconv"

	"github.com/creditd/creditd/fsm/fields"
)

// NamespaceRecord is a namespace at rest.
type NamespaceRecord struct {
	ID          string
	Name        string
	WorkspaceID string
	CreatedAt   int64
	Deleted     bool
}

var namespaceRecordType = recordType{kind: NamespaceKind, since: 1, create: createRecord[NamespaceRecord]}

func (*NamespaceRecord) is() *recordType { return &namespaceRecordType }

// Key names the record.
func (r *NamespaceRecord) Key() RecordKey { return RecordKey{NamespaceKind, r.ID} }

func (r *NamespaceRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.Name)
	v.String(&r.WorkspaceID)
	v.Int(&r.CreatedAt)
	v.Bool(&r.Deleted)
}

// OverrideRecord is an override at rest.
type OverrideRecord struct {
	ID          string
	NamespaceID string
	Identifier  string
	Limit       int64
	Duration    int64 // ms
	CreatedAt   int64
}

var overrideRecordType = recordType{kind: OverrideKind, since: 1, create: createRecord[OverrideRecord]}

func (*OverrideRecord) is() *recordType { return &overrideRecordType }

// Key names the record.
func (r *OverrideRecord) Key() RecordKey { return RecordKey{OverrideKind, r.ID} }

func (r *OverrideRecord) fields(v *fields.Visitor) {
	v.String(&r.ID)
	v.String(&r.NamespaceID)
	v.String(&r.Identifier)
	v.Int(&r.Limit)
	v.Int(&r.Duration)
	v.Int(&r.CreatedAt)
}

// windowName is the name of a window. It contains the duration, so that a window has one length for its whole life.
type windowName struct {
	scope    WindowScope
	owner    string // id of the key, identity or namespace
	name     string // of the rate limit, or the identifier in a namespace
	duration int64  // ms
}

// recordID is injective because ids contain no slash.
func (n windowName) recordID() string { return string(n.appendID(nil)) }

func (n windowName) appendID(buf []byte) []byte {
	buf = append(strconv.AppendInt(buf, int64(n.scope), 10), '/')
	buf = append(append(buf, n.owner...), '/')
	buf = append(strconv.AppendInt(buf, n.duration, 10), '/')
	return append(buf, n.name...)
}

// prefix begins the digest. It is computed for every verification with a rate limit, so it hashes the fields without the visitor.
func (n windowName) prefix() fields.Hasher {
	h := fields.NewHasher(uint8(WindowKind))
	h.Int(int64(n.scope))
	h.String(n.owner)
	h.String(n.name)
	h.Int(n.duration)
	return h
}

func (n windowName) word() uint64 {
	h := n.prefix()
	return h.First()
}

// WindowScope is the kind of a window's owner. The numbers are on disk: append only.
type WindowScope uint8

// The scopes.
const (
	KeyScope WindowScope = iota + 1
	IdentityScope
	NamespaceScope
)

func (n *windowName) fields(v *fields.Visitor) {
	fields.Enum(v, &n.scope, KeyScope, NamespaceScope)
	v.String(&n.owner)
	v.String(&n.name)
	v.Int(&n.duration)
}

// WindowRecord is the state of one rate limit at rest. See contract 2.6 and 3.6.
type WindowRecord struct {
	Scope    WindowScope
	Owner    string // id
	Name     string // of the rate limit, or the identifier in a namespace
	Duration int64  // ms
	Sequence int64  // index of the fixed window of Current: Unix ms / Duration
	Current  int64
	Previous int64
}

var windowRecordType = recordType{kind: WindowKind, since: 1, create: createRecord[WindowRecord]}

func (*WindowRecord) is() *recordType { return &windowRecordType }

// Key names the record.
func (r *WindowRecord) Key() RecordKey { return RecordKey{WindowKind, r.name().recordID()} }

func (r *WindowRecord) appendID(buf []byte) []byte { return r.name().appendID(buf) }

func (r *WindowRecord) fields(v *fields.Visitor) {
	name := r.name()
	if name.fields(v); v.Reading() {
		r.Scope, r.Owner, r.Name, r.Duration = name.scope, name.owner, name.name, name.duration
	}
	v.Int(&r.Sequence)
	v.Int(&r.Current)
	v.Int(&r.Previous)
}

func (r *WindowRecord) name() windowName {
	return windowName{r.Scope, r.Owner, r.Name, r.Duration}
}
