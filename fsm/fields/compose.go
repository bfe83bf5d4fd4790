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
	if v.mode == measuring {
		v.size += ListedThing * len(*p)
	}
	n := v.Length(len(*p))
	if v.mode == reading && n > 0 {
		*p = make([]T, 0, min(n, 64))
	}
	for i := range n {
		if v.err != nil {
			return
		}
		if v.mode == reading {
			*p = append(*p, *new(T))
		}
		element(&(*p)[i], v)
	}
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
