package fields

import "fmt"

// What an element of a list takes beside its texts, in memory and in an answer, in bytes.
const (
	ListedText  = 16
	ListedThing = 160
)

// Strings shows a list of texts.
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

// List shows a list of things that take at least one byte each. A reader takes memory for what is there, not for what the length
// claims: an element in memory can be a hundred times its bytes.
func List[T any](v *Visitor, p *[]T, element func(*T, *Visitor)) {
	for i := range Count(v, p) {
		if e := At(v, p, i); e != nil {
			element(e, v)
		}
	}
}

// Count shows the length of a list whose elements At shows. It and At are List for values on the path of every verification: there a
// call through a function value would put the visitor on the heap.
func Count[T any](v *Visitor, p *[]T) int {
	if v.mode == measuring {
		v.size += ListedThing * len(*p)
	}
	n := v.Length(len(*p))
	if v.mode == reading && n > 0 {
		*p = make([]T, 0, min(n, 64))
	}
	return n
}

// At returns element i, which a reader makes; nil after a failure.
func At[T any](v *Visitor, p *[]T, i int) *T {
	if v.err != nil {
		return nil
	}
	if v.mode == reading {
		*p = append(*p, *new(T))
	}
	return &(*p)[i]
}

// Enum shows a small number between first and last. Writing another one is a bug of the caller and panics: the bytes would be
// committed, and no node could read them.
func Enum[T ~uint8](v *Visitor, p *T, first, last T) {
	small(v, p)
	if v.checks() && (*p < first || *p > last) {
		v.refuse(fmt.Errorf("%T is %d, known are %d to %d", *p, *p, first, last))
	}
}

// Known shows a small number that says itself whether there is such a one. Writing another one panics, as with Enum.
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

// Optional shows whether *p is there, makes it when reading, and reports whether its fields follow.
func Optional[T any](v *Visitor, p **T) bool {
	there := *p != nil
	v.Bool(&there)
	if v.mode == reading && there {
		*p = new(T)
	}
	return there && v.err == nil
}
