package fsm

import "github.com/creditd/creditd/fsm/fields"

// Hash is the SHA-256 of a full key string. The ledger knows nothing else of a secret.
type Hash [32]byte

func (h *Hash) fields(v *fields.Visitor) { v.Hash((*[32]byte)(h)) }

// Never is the expiry of something that does not expire.
const Never int64 = 1<<63 - 1

// ShortHash is the first half of a SHA-256. It is compared only within one workspace.
type ShortHash [16]byte

func (s *ShortHash) fields(v *fields.Visitor) { v.Short((*[16]byte)(s)) }

// FieldState is one of the three states of an optional field: see contract 1.8.
type FieldState uint8

// The states of a field.
const (
	Absent FieldState = iota // keep as it is
	Null                     // clear
	Given                    // set to the value
)

// Field is a three-state field of a change.
type Field[T any] struct {
	State FieldState
	Value T // meaningful only when Given
}

// Set makes a field that sets v.
func Set[T any](v T) Field[T] { return Field[T]{State: Given, Value: v} }

// Clear makes a field that clears.
func Clear[T any]() Field[T] { return Field[T]{State: Null} }

// over returns the new value of a field whose old value is old. Null gives the zero value.
func (f Field[T]) over(old T) T {
	switch f.State {
	case Given:
		return f.Value
	case Null:
		var none T
		return none
	default:
		return old
	}
}

// visit shows the state, and the value where one is given.
func (f *Field[T]) visit(v *fields.Visitor, value func(*T, *fields.Visitor)) {
	fields.Enum(v, &f.State, Absent, Given)
	if f.State == Given {
		value(&f.Value, v)
	}
}

func visitString(p *string, v *fields.Visitor) { v.String(p) }

func visitStrings(p *[]string, v *fields.Visitor) { v.Strings(p) }

func visitInt(p *int64, v *fields.Visitor) { v.Int(p) }

func visitBool(p *bool, v *fields.Visitor) { v.Bool(p) }

// PermissionRef names a permission by its slug.
type PermissionRef struct {
	Slug string
	ID   string // id for the permission if the slug is new and the command may create it
}

func (r *PermissionRef) fields(v *fields.Visitor) {
	v.String(&r.Slug)
	v.String(&r.ID)
}

func visitPermissionRefs(p *[]PermissionRef, v *fields.Visitor) {
	fields.List(v, p, (*PermissionRef).fields)
}

// LinkOp is what a command does with the permissions or roles of a key.
type LinkOp uint8

// The operations.
const (
	AddLinks LinkOp = iota + 1
	RemoveLinks
	SetLinks
)

// Page selects a part of a list: up to Limit items (at least 1), beginning with the first id that is not below Cursor. See contract 1.14.
type Page struct {
	Limit  int
	Cursor string
}

// Algorithm is how the previous system stored the keys of a migration. See contract 2.3.
type Algorithm uint8

// The algorithms.
const (
	// SHA256: the hash of the full key, as in this ledger. Such a key works at once.
	SHA256 Algorithm = iota + 1
	// PrefixedAPIKey: the hash of the last part of the key. A verification that names the migration finds such a key, and the ledger then
	// stores the hash of the full key. The proposer maps these hashes to a range of their own, so that none equals the hash of a full key.
	PrefixedAPIKey
)

func (a *Algorithm) fields(v *fields.Visitor) { fields.Enum(v, a, SHA256, PrefixedAPIKey) }

// RoleRef names a role.
type RoleRef struct {
	Name string
	ID   string // id for the role if the name is new
}

func (r *RoleRef) fields(v *fields.Visitor) {
	v.String(&r.Name)
	v.String(&r.ID)
}
