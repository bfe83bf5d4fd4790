package schema

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Decode reads one body. It returns the request, or the zero T and the reason for refusing the body. The result shares
// no memory with body.
func (s *Schema[T]) Decode(body []byte) (T, *Problem) { return s.DecodeInSteps(body, nil) }

// DecodeInSteps is Decode that calls between with its position behind each item of an array, for callers that share the CPU.
func (s *Schema[T]) DecodeInSteps(body []byte, between func(at int)) (T, *Problem) {
	req, ok := s.spare.Get().(*T)
	if !ok {
		req = new(T)
	}
	if !s.decodeFast(body, req, between) {
		return s.decodeSlowly(body)
	}
	var none, decoded T
	decoded, *req = *req, none
	s.spare.Put(req)
	return decoded, nil
}

// Into is Decode into a zero T that the caller has.
func (s *Schema[T]) Into(req *T, body []byte) (bad *Problem) {
	if !s.decodeFast(body, req, nil) {
		*req, bad = s.decodeSlowly(body)
	}
	return bad
}

func (s *Schema[T]) decodeFast(body []byte, req *T, between func(at int)) bool {
	fast := walker{scanner: scanner{data: body}, between: between}
	defer fast.release()
	return fast.value(s.root, reflect.ValueOf(req).Elem()) && fast.end()
}

// decodeSlowly decodes a body that the fast pass gave up on, or finds out all that is wrong with it.
func (s *Schema[T]) decodeSlowly(body []byte) (T, *Problem) {
	var none T
	if len(body) == 0 {
		return none, emptyBody()
	}
	syntax := scanner{data: body}
	if !syntax.skip() || !syntax.end() {
		return none, malformed(syntax.fault, syntax.pos)
	}
	e := explainer{walker: walker{scanner: scanner{data: body}, repeats: true}}
	defer e.release()
	req := new(T)
	switch {
	case e.explain(s.root, reflect.ValueOf(req).Elem()):
		return *req, nil
	case len(e.violations) > 0:
		return none, &Problem{Kind: KindSchema, Errors: e.violations}
	case e.unfit != nil:
		return none, e.unfit
	}
	panic("schema: the decoder refuses a body that the validator accepts")
}

// walker reads a body along its description. A method returns false as soon as something is not in order, and leaves the
// position anywhere.
type walker struct {
	scanner
	repeats bool     // accept repeated names, of which the last counts; the text is known to be JSON
	unfit   *Problem // the first value that satisfies the schema and not its Go type
	scratch *[]byte  // of free; nil: there was no need

	between func(at int) // nil, or called behind each item of an array
}

// value reads the value at pos into v, a settable value of n's type with its wrapping.
func (w *walker) value(n *node, v reflect.Value) bool {
	first := w.space()
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
	return false
}

func (w *walker) string(n *node, v reflect.Value) bool {
	text, runes, escaped, ok := w.str()
	if !ok || !n.within(runes) {
		return false
	}
	if escaped {
		text = unescape(text)
	}
	if n.enum != nil && !slices.Contains(n.enum, string(text)) || n.pattern != nil && !n.pattern.match(text) {
		return false
	}
	v.SetString(string(text))
	return true
}

// integer reads a number. The schema knows numbers by their value, but only those written as integers are decoded.
func (w *walker) integer(n *node, v reflect.Value) bool {
	literal, value, fits, ok := w.number()
	switch {
	case ok && fits && n.min <= value && value <= n.max:
		v.SetInt(value)
		return true
	case ok && !fits && w.unfit == nil:
		w.unfit = &Problem{Kind: KindValue, Errors: []Violation{}, Field: n.path, reason: "does not fit a signed 64-bit integer"}
		if strings.ContainsAny(string(literal), ".eE") {
			w.unfit.reason = "must be written as an integer, without fraction or exponent"
		}
	}
	return false
}

func (w *walker) object(n *node, v reflect.Value) bool {
	from, to := w.pos, 0
	var last members
	if w.repeats {
		last = w.members(n)
	}
	if !w.open() {
		return false
	}
	var seen uint64
	if w.space() == '}' {
		w.close()
		to = w.pos
	} else {
		for hint, count, done := 0, 1, false; !done; count++ {
			name, ok := w.name()
			if !ok || !w.mayHave(count) {
				return false
			}
			i := n.find(name, hint)
			switch {
			case i < 0:
				ok = n.loose && w.skip()
			case w.repeats && last.at[i] != w.pos:
				ok = w.skip()
			case seen&(1<<i) != 0:
				return false // repeated
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
	if n.required&^seen != 0 {
		return false
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

func (w *walker) array(n *node, v reflect.Value) bool {
	if !w.open() {
		return false
	}
	v.Set(reflect.MakeSlice(n.typ, 0, 0)) // [] is not the same as absent
	count := 0
	if w.space() == ']' {
		w.close()
		return n.within(0)
	}
	var element reflect.Value // of a Later
	if n.later {
		element = reflect.New(n.elem.full).Elem()
	}
	for done := false; !done; count++ {
		if int64(count) == n.max {
			return false
		}
		if count == v.Cap() {
			v.Grow(int(min(int64(max(count, 4)), n.max-int64(count))))
		}
		v.SetLen(count + 1)
		if !n.later {
			element = v.Index(count)
		}
		from := w.pos
		if !w.value(n.elem, element) {
			return false
		}
		if n.later {
			element.SetZero()
			v.Index(count).Field(0).SetUint(uint64(from))
			v.Index(count).Field(1).SetUint(uint64(w.pos))
		}
		if w.between != nil {
			w.between(w.pos)
		}
		var ok bool
		if done, ok = w.next(']'); !ok {
			return false
		}
	}
	return n.within(count)
}

func (w *walker) free(n *node, v reflect.Value) bool {
	if w.scratch == nil {
		w.scratch, _ = scratches.Get().(*[]byte)
	}
	text, members, ok := w.compact((*w.scratch)[:0])
	if !ok || !n.within(members) {
		return false
	}
	*w.scratch = text
	v.SetString(string(text))
	return true
}

// scratches are shared by all walkers, because each item of an array that is decoded later has a walker of its own.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// mostScratch is the largest scratch that is kept.
const mostScratch = 128 << 10

// release ends the use of w.
func (w *walker) release() {
	if w.scratch != nil && cap(*w.scratch) <= mostScratch {
		scratches.Put(w.scratch)
	}
	w.scratch = nil
}
