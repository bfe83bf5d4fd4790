package schema

import "reflect"

// Optional holds a value that may be absent from the body. null is not accepted for it.
type Optional[T any] struct {
	Value T // zero unless Set
	set   bool
}

// Set reports whether the field was present.
func (o Optional[T]) Set() bool { return o.set }

// Or returns the value, or fallback if the field was absent.
func (o Optional[T]) Or(fallback T) T {
	if o.set {
		return o.Value
	}
	return fallback
}

// Nullable is a field in one of three states (docs/contract.md 1.8): absent, null, or set to a value. The
// zero Nullable is absent: neither Null nor Set.
type Nullable[T any] struct {
	Value T // zero unless Set
	state presence
}

// Null reports whether the field was given as null.
func (n Nullable[T]) Null() bool { return n.state == isNull }

// Set reports whether the field was given a value.
func (n Nullable[T]) Set() bool { return n.state == isSet }

// Object is a free-form JSON object as compact JSON text, without insignificant space. Of repeated names the last one counts. Order and
// spelling of the members are those of the body. An absent object is "".
type Object string

// MarshalJSON writes the object as it is; an absent one is written as {}.
func (o Object) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("{}"), nil
	}
	return []byte(o), nil
}

// Loose, as the type of a blank field, makes the struct around it ignore names it does not describe.
type Loose struct{}

// Span, as the type of a field without a name, is filled with where in the body the object around it stands: body[From:To].
type Span struct{ From, To int }

// Later, as the element of a list, is where in the body an element of type T stands: body[From:To]. The element is validated and not kept; a
// Schema[T] reads it again. So a list of very many elements takes little memory.
type Later[T any] struct{ From, To uint32 }

func (Later[T]) element() reflect.Type { return reflect.TypeFor[T]() }

// later is what the compiler needs of Later, whose element type it does not know.
type later interface{ element() reflect.Type }

// Described is implemented by a type that carries constraints shared by every field of that type. SchemaTag returns
// them in the syntax of a struct tag, as in `schema:"minLength=3" doc:"…"`.
type Described interface{ SchemaTag() string }

type presence uint8

const (
	isAbsent presence = iota
	isNull
	isSet
)

// wrapper is what the walker needs of *Optional and *Nullable, whose element type it does not know.
type wrapper interface {
	mark(presence)
	nullable() bool
}

func (o *Optional[T]) mark(p presence) { o.set = p == isSet }
func (*Optional[T]) nullable() bool    { return false }
func (n *Nullable[T]) mark(p presence) { n.state = p }
func (*Nullable[T]) nullable() bool    { return true }
