package schema

import (
	"math"
	"math/big"
	"reflect"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Decode reads one body. It returns the request, or the zero T and the reason for refusing the body. The result shares
// no memory with body.
func (s *Schema[T]) Decode(body []byte) (T, *Problem) {
	fast := walker{scanner: scanner{data: body}}
	req := new(T)
	if fast.value(s.root, reflect.ValueOf(req).Elem()) && fast.end() {
		return *req, nil
	}
	return s.decodeSlowly(body)
}

// decodeSlowly decodes a body that the first pass gave up on, and finds out all that is wrong with it.
func (s *Schema[T]) decodeSlowly(body []byte) (T, *Problem) {
	var none T
	if len(body) == 0 {
		return none, emptyBody()
	}
	syntax := scanner{data: body}
	if !syntax.skip() || !syntax.end() {
		return none, malformed(syntax.fault, syntax.pos)
	}
	w := walker{scanner: scanner{data: body}, collect: true}
	req := new(T)
	w.value(s.root, reflect.ValueOf(req).Elem())
	switch {
	case len(w.violations) > 0:
		return none, &Problem{Kind: KindSchema, Errors: append(w.violations, w.unserved...)}
	case len(w.unserved) > 0:
		return none, &Problem{Kind: KindUnsupported, Errors: w.unserved, Field: w.unservedField}
	case w.unfit != nil:
		return none, w.unfit
	}
	return *req, nil
}

// walker reads a body along its description. A method returns false to give up: always with collect off when something
// is not in order, never with collect on, when the text is known to be JSON.
type walker struct {
	scanner
	collect bool

	violations    []Violation
	unserved      []Violation // uses of Unsupported fields
	unservedField string      // the first of them
	unfit         *Problem    // the first value that does not fit its Go type
	buf           []byte      // scratch of free
}

// violate records that the value of n violates a keyword. It must not be called with collect off, to which the
// violation's details are of no interest.
func (w *walker) violate(n *node, k jsonschema.ErrorKind) {
	if len(w.violations) < MaxErrors {
		w.violations = append(w.violations, explain(n, k))
	}
}

// value reads the value at pos into v, a settable value of n's type with its wrapping.
func (w *walker) value(n *node, v reflect.Value) bool {
	first := w.space()
	if n.shape == shapeUnsupported {
		return w.unsupported(n)
	}
	switch n.wrap {
	case wrapPointer:
		p := reflect.New(n.typ)
		v.Set(p)
		v = p.Elem()
	case wrapState:
		state := v.Addr().Interface().(wrapper)
		if n.nullable && first == 'n' {
			state.mark(isNull)
			return w.word(first)
		}
		state.mark(isSet)
		v = v.Field(0)
	}
	switch {
	case n.shape == shapeString && first == '"':
		return w.string(n, v)
	case n.shape == shapeInteger && (first == '-' || first-'0' <= 9):
		return w.integer(n, v)
	case n.shape == shapeBoolean && (first == 't' || first == 'f'):
		v.SetBool(first == 't')
		return w.word(first)
	case n.shape == shapeObject && first == '{':
		return w.object(n, v)
	case n.shape == shapeArray && first == '[':
		return w.array(n, v)
	case n.shape == shapeFree && first == '{':
		return w.free(n, v)
	}
	return w.mismatch(n, first)
}

func (w *walker) unsupported(n *node) bool {
	if !w.collect {
		return false
	}
	if w.unservedField == "" {
		w.unservedField = n.path
	}
	if len(w.unserved) < MaxErrors {
		w.unserved = append(w.unserved, unsupported(n))
	}
	return w.skip()
}

// mismatch handles a value of the wrong type.
func (w *walker) mismatch(n *node, first byte) bool {
	if !w.collect {
		return false
	}
	got := "number"
	switch first {
	case '"':
		got = "string"
	case '{':
		got = "object"
	case '[':
		got = "array"
	case 't', 'f':
		got = "boolean"
	case 'n':
		got = "null"
	}
	w.violate(n, &kind.Type{Got: got, Want: n.types()})
	return w.skip()
}

func (w *walker) string(n *node, v reflect.Value) bool {
	text, runes, escaped, ok := w.str()
	if !ok {
		return false
	}
	if escaped {
		text = unescape(text)
	}
	if n.enum != nil && !slices.Contains(n.enum, string(text)) {
		if w.collect { // a value outside the enumeration is not examined further
			want := make([]any, len(n.enum))
			for i, s := range n.enum {
				want[i] = s
			}
			w.violate(n, &kind.Enum{Want: want})
		}
		return w.collect
	}
	if runes < n.minLength {
		if !w.collect {
			return false
		}
		w.violate(n, &kind.MinLength{Got: runes, Want: n.minLength})
	}
	if runes > n.maxLength {
		if !w.collect {
			return false
		}
		w.violate(n, &kind.MaxLength{Got: runes, Want: n.maxLength})
	}
	if n.pattern != nil && !n.pattern.match(text) {
		if !w.collect {
			return false
		}
		w.violate(n, &kind.Pattern{Got: clip(string(text)), Want: n.pattern.regexp.String()})
	}
	v.SetString(string(text))
	return true
}

func (w *walker) integer(n *node, v reflect.Value) bool {
	literal, value, fits, ok := w.number()
	if !ok {
		return false
	}
	if fits && n.minimum <= value && value <= n.maximum {
		v.SetInt(value)
		return true
	}
	if w.collect {
		w.oddInteger(n, literal)
	}
	return w.collect
}

// oddInteger says what is wrong with a number that is not an int64 within its bounds. The schema knows numbers only by
// their value, the decoder wants them written as integers.
func (w *walker) oddInteger(n *node, literal []byte) {
	num := parseDecimal(literal)
	switch {
	case !num.integral:
		w.violate(n, &kind.Type{Got: "number", Want: n.types()})
	case num.less(n.minimum) && n.minimum != math.MinInt64: // that bound is Go's, not the schema's
		w.violate(n, &kind.Minimum{Got: ratOf(literal), Want: new(big.Rat).SetInt64(n.minimum)})
	case num.more(n.maximum) && n.maximum != math.MaxInt64:
		w.violate(n, &kind.Maximum{Got: ratOf(literal), Want: new(big.Rat).SetInt64(n.maximum)})
	case w.unfit == nil:
		w.unfit = &Problem{Kind: KindValue, Errors: []Violation{}, Field: n.path, reason: num.unfit()}
	}
}

func (w *walker) object(n *node, v reflect.Value) bool {
	from, to := w.pos, 0
	var last []int
	if w.collect {
		last = w.lastMembers(n)
	}
	if !w.open() {
		return false
	}
	var seen uint64
	var unknown unknownNames
	if w.space() == '}' {
		w.close()
		to = w.pos
	} else {
		for hint, done := 0, false; !done; {
			at := w.pos
			name, ok := w.name()
			if !ok {
				return false
			}
			i := n.find(name, hint)
			switch {
			case i < 0 && !n.loose && !w.collect:
				return false
			case i < 0:
				if !n.loose {
					unknown.add(name)
				}
				ok = w.skip()
			case w.collect && last[i] != at:
				ok = w.skip() // a later member of this name counts
			case seen&(1<<i) != 0:
				return false // repeated name: needs the other pass
			default:
				seen |= 1 << i
				hint = i + 1
				ok = w.value(n.fields[i].node, v.Field(n.fields[i].index))
			}
			if !ok {
				return false
			}
			if done, ok = w.next('}'); !ok {
				return false
			}
			to = w.pos
			w.space()
		}
	}
	if absent := n.required &^ seen; absent != 0 {
		if !w.collect {
			return false
		}
		w.violate(n, &kind.Required{Missing: n.missing(absent)})
	}
	if len(unknown.listed) > 0 && len(w.violations) < MaxErrors {
		w.violations = append(w.violations, unknown.violation(n))
	}
	for i := range n.fields {
		if f := &n.fields[i]; f.def.IsValid() && seen&(1<<i) == 0 {
			v.Field(f.index).Set(f.def)
		}
	}
	if n.span >= 0 {
		span := v.Field(n.span)
		span.Field(0).SetInt(int64(from))
		span.Field(1).SetInt(int64(to))
	}
	return true
}

// lastMembers returns for each field where its last member begins in the object at pos.
func (w *walker) lastMembers(n *node) []int {
	ahead := w.scanner
	last := make([]int, len(n.fields))
	ahead.open()
	for done := ahead.space() == '}'; !done; {
		ahead.space()
		at := ahead.pos
		name, _ := ahead.name()
		if i := n.find(name, 0); i >= 0 {
			last[i] = at
		}
		ahead.skip()
		var ok bool
		if done, ok = ahead.next('}'); !ok {
			break // unreachable: the text is JSON
		}
	}
	return last
}

func (w *walker) array(n *node, v reflect.Value) bool {
	if !w.open() {
		return false
	}
	v.Set(reflect.MakeSlice(n.typ, 0, 0)) // [] is not the same as absent
	count := 0
	if w.space() == ']' {
		w.close()
	} else {
		for done := false; !done; count++ {
			if count >= n.maxItems && !w.collect {
				return false
			}
			if !w.value(n.elem, w.element(n, v, count)) {
				return false
			}
			var ok bool
			if done, ok = w.next(']'); !ok {
				return false
			}
		}
	}
	if count < n.minItems {
		if !w.collect {
			return false
		}
		w.violate(n, &kind.MinItems{Got: count, Want: n.minItems})
	}
	if count > n.maxItems {
		w.violate(n, &kind.MaxItems{Got: count, Want: n.maxItems})
	}
	return true
}

// element makes room for the next element of a slice. A body that is refused anyway does not get to fill memory.
func (w *walker) element(n *node, v reflect.Value, i int) reflect.Value {
	if i >= n.maxItems || len(w.violations) > 0 {
		return reflect.New(n.elem.typ).Elem()
	}
	if i == v.Cap() {
		v.Grow(min(max(i, 4), n.maxItems-i))
	}
	v.SetLen(i + 1)
	return v.Index(i)
}

func (w *walker) free(n *node, v reflect.Value) bool {
	text, members, ok := w.compact(w.buf[:0])
	if !ok {
		return false
	}
	w.buf = text
	if members > n.maxProperties {
		if !w.collect {
			return false
		}
		w.violate(n, &kind.MaxProperties{Got: members, Want: n.maxProperties})
	}
	v.SetString(string(text))
	return true
}
