package fields

import "fmt"

// The bytes that an element of a list takes besides its texts, in memory and in an answer.
const (
	ListedText  = 16
	ListedThing = 160
)

// Strings visits a list of texts.
func (v *Visitor) Strings(p *[]string) {
	if v.mode == measuring {
		v.size += ListedText * len(*p)
	}
	n := v.Length(len(*p))
	if v.mode == reading && n > 0 {
		*p = make([]string, n)
	}
	for i := range n {
		v.String(&(*p)[i])
	}
}

// List visits a list of elements that take at least one byte each. A reader allocates for elements that are there, and not for the length
// that the bytes claim: an element in memory can be a hundred times its bytes.
func List[T any](v *Visitor, p *[]T, element func(*T, *Visitor)) {
	for i := range Count(v, p) {
		if e := At(v, p, i); e != nil {
			element(e, v)
		}
	}
}

// Count visits the length of a list, and At its elements. Values on the path of every verification use them instead of List, because a call
// through a function value would put the visitor on the heap.
func Count[T any](v *Visitor, p *[]T) int {
	if v.mode == measuring {
		v.size += v.thing * len(*p)
	}
	n := v.Length(len(*p))
	if v.mode == reading && n > 0 {
		*p = make([]T, 0, min(n, 64))
	}
	return n
}

// At returns element i, which a reader creates; nil after a failure.
func At[T any](v *Visitor, p *[]T, i int) *T {
	if v.err != nil {
		return nil
	}
	if v.mode == reading {
		*p = append(*p, *new(T))
	}
	return &(*p)[i]
}

// Enum visits a small number between first and last. Writing another number panics: no node could read the committed bytes.
func Enum[T ~uint8](v *Visitor, p *T, first, last T) {
	small(v, p)
	if v.checks() && (*p < first || *p > last) {
		v.refuse(fmt.Errorf("%T is %d, known are %d to %d", *p, *p, first, last))
	}
}

// Known visits a small number whose type knows its values. Writing another number panics, as with Enum.
func Known[T interface {
	~uint8
	Known() bool
}](v *Visitor, p *T) {
	small(v, p)
	if v.checks() && !(*p).Known() {
		v.refuse(fmt.Errorf("%T is %d, which is unknown", *p, *p))
	}
}

func small[T ~uint8](v *Visitor, p *T) {
	b := byte(*p)
	v.Byte(&b)
	if v.mode == reading {
		*p = T(b)
	}
}

func (v *Visitor) checks() bool { return v.err == nil && v.mode <= writing }

func (v *Visitor) refuse(err error) {
	if v.mode == writing {
		panic("fields: " + err.Error())
	}
	v.Fail(err)
}

// Optional visits whether *p is present, creates it when reading, and reports whether its fields follow.
func Optional[T any](v *Visitor, p **T) bool {
	there := *p != nil
	v.Bool(&there)
	if v.mode == reading && there {
		*p = new(T)
	}
	return there && v.err == nil
}
