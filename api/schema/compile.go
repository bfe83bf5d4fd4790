package schema

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Schema decodes and validates bodies described by T. Create it with [Compile] or [MustCompile], once, at start.
type Schema[T any] struct {
	name string
	root *node
}

// MustCompile is like [Compile] and panics if the description is wrong.
func MustCompile[T any](name string) *Schema[T] {
	s, err := Compile[T](name)
	if err != nil {
		panic(err)
	}
	return s
}

// Compile reads the description T. The name is that of the endpoint, as in "keys.createKey".
func Compile[T any](name string) (*Schema[T], error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Slice {
		return nil, fmt.Errorf("schema: %s: the body is described by a struct or a slice, not by %s", name, t)
	}
	c := compiler{}
	root, err := c.node(t, "", "", "")
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", name, err)
	}
	return &Schema[T]{name: name, root: root}, nil
}

// Name returns the name given to Compile.
func (s *Schema[T]) Name() string { return s.name }

type shape uint8

const (
	shapeString shape = iota
	shapeInteger
	shapeBoolean
	shapeObject
	shapeArray
	shapeFree        // Object
	shapeUnsupported // Unsupported
)

// jsonTypes are the names of the shapes in a schema.
var jsonTypes = [...]string{"string", "integer", "boolean", "object", "array", "object", ""}

type wrap uint8

const (
	wrapNone wrap = iota
	wrapPointer
	wrapState // Optional, Nullable
)

// node is the compiled description of one value. Descriptions are not recursive, so each node has one place in the
// schema and knows it.
type node struct {
	shape    shape
	wrap     wrap
	nullable bool
	typ      reflect.Type // of the value inside the wrapping
	loc      string       // keyword path, "/properties/credits"
	path     string       // for people, "credits.cost"

	minLength, maxLength int
	pattern              *pattern
	enum                 []string

	minimum, maximum int64

	minItems, maxItems int
	elem               *node

	maxProperties int
	fields        []field
	required      uint64 // bit per field
	loose         bool
	span          int // position of the Span among the fields of the struct, -1: none

	doc, example string
	def          reflect.Value // what an absent field holds; invalid if none
}

type field struct {
	name  string
	index int
	*node
}

// maxFields is what fits the bit sets of the walker.
const maxFields = 64

// find returns the position of a field by name, trying hint first: clients mostly keep the order of the description.
func (n *node) find(name []byte, hint int) int {
	if hint < len(n.fields) && n.fields[hint].name == string(name) {
		return hint
	}
	for i := range n.fields {
		if n.fields[i].name == string(name) {
			return i
		}
	}
	return -1
}

// missing returns the names of the fields in the set, in the order of the description.
func (n *node) missing(set uint64) []string {
	var names []string
	for ; set != 0; set &= set - 1 {
		names = append(names, n.fields[bits.TrailingZeros64(set)].name)
	}
	return names
}

// types returns the names a type violation lists, null first as the validator library does.
func (n *node) types() []string {
	if n.nullable {
		return []string{"null", jsonTypes[n.shape]}
	}
	return []string{jsonTypes[n.shape]}
}

// compiler turns Go types into nodes.
type compiler struct {
	open []reflect.Type // structs around the current one, to find recursion
}

var (
	wrapperType     = reflect.TypeFor[wrapper]()
	describedType   = reflect.TypeFor[Described]()
	objectType      = reflect.TypeFor[Object]()
	unsupportedType = reflect.TypeFor[Unsupported]()
	looseType       = reflect.TypeFor[Loose]()
	spanType        = reflect.TypeFor[Span]()
)

func (c *compiler) node(t reflect.Type, tag reflect.StructTag, loc, path string) (*node, error) {
	n := &node{
		loc: loc, path: path,
		maxLength: math.MaxInt, maxItems: math.MaxInt, maxProperties: math.MaxInt,
		minimum: math.MinInt64, maximum: math.MaxInt64,
	}
	switch {
	case t.Kind() == reflect.Pointer:
		n.wrap, t = wrapPointer, t.Elem()
	case reflect.PointerTo(t).Implements(wrapperType):
		n.wrap = wrapState
		n.nullable = reflect.New(t).Interface().(wrapper).nullable()
		t = t.Field(0).Type
	}
	n.typ = t
	tags := []reflect.StructTag{tag}
	if t.Implements(describedType) {
		tags = []reflect.StructTag{reflect.StructTag(reflect.Zero(t).Interface().(Described).SchemaTag()), tag}
	}
	if err := c.fill(n, t, tags); err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if err := n.constrain(tag.Get("schema")); err != nil {
			return nil, fmt.Errorf("%s: %w", n.where(), err)
		}
		if doc, ok := tag.Lookup("doc"); ok {
			n.doc = doc
		}
		if example, ok := tag.Lookup("example"); ok {
			n.example = example
		}
	}
	return n, nil
}

func (n *node) where() string {
	if n.path == "" {
		return n.typ.String()
	}
	return n.path
}

// fill sets what follows from the Go type.
func (c *compiler) fill(n *node, t reflect.Type, tags []reflect.StructTag) error {
	switch {
	case t == unsupportedType:
		n.shape = shapeUnsupported
	case t == objectType:
		n.shape = shapeFree
	case t.Kind() == reflect.String:
		n.shape = shapeString
	case t.Kind() == reflect.Int64:
		n.shape = shapeInteger
	case t.Kind() == reflect.Bool:
		n.shape = shapeBoolean
	case t.Kind() == reflect.Slice:
		return c.fillArray(n, t, tags)
	case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(wrapperType):
		return c.fillObject(n, t)
	default:
		return fmt.Errorf("%s: a value of Go type %s cannot be described", n.where(), t)
	}
	if n.shape == shapeUnsupported && n.wrap != wrapNone {
		return fmt.Errorf("%s: Unsupported is used as it is, without a pointer or wrapper", n.where())
	}
	return nil
}

func (c *compiler) fillArray(n *node, t reflect.Type, tags []reflect.StructTag) error {
	n.shape = shapeArray
	var items string
	for _, tag := range tags {
		if v, ok := tag.Lookup("items"); ok {
			items = v
		}
	}
	elem, err := c.node(t.Elem(), reflect.StructTag("schema:"+strconv.Quote(items)), n.loc+"/items", n.path+"[]")
	if err != nil {
		return err
	}
	if elem.wrap != wrapNone || elem.shape == shapeUnsupported {
		return fmt.Errorf("%s: elements are plain values", n.where())
	}
	n.elem = elem
	return nil
}

func (c *compiler) fillObject(n *node, t reflect.Type) error {
	n.shape, n.span = shapeObject, -1
	if slices.Contains(c.open, t) {
		return fmt.Errorf("%s: %s contains itself", n.where(), t)
	}
	c.open = append(c.open, t)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" && f.Type == looseType {
			n.loose = true
			continue
		}
		if f.Type == spanType && f.IsExported() && f.Tag == "" {
			n.span = i
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || options != "" || !f.IsExported() || f.Anonymous {
			return fmt.Errorf("%s: field %s.%s must be exported and have a plain json name", n.where(), t, f.Name)
		}
		if n.find([]byte(name), 0) >= 0 {
			return fmt.Errorf("%s: property %s is described twice", n.where(), name)
		}
		if len(n.fields) == maxFields {
			return fmt.Errorf("%s: more than %d properties", n.where(), maxFields)
		}
		path := name
		if n.path != "" {
			path = n.path + "." + name
		}
		sub, err := c.node(f.Type, f.Tag, n.loc+"/properties/"+escapePointer(name), path)
		if err != nil {
			return err
		}
		if slices.Contains(splitTag(f.Tag.Get("schema")), "required") {
			if sub.def.IsValid() || sub.shape == shapeUnsupported {
				return fmt.Errorf("%s: required contradicts a default and Unsupported", path)
			}
			n.required |= 1 << len(n.fields)
		}
		n.fields = append(n.fields, field{name: name, index: i, node: sub})
	}
	return nil
}

func escapePointer(token string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// splitTag splits a schema tag at its commas; a pattern, which comes last, may contain commas itself.
func splitTag(tag string) []string {
	var parts []string
	for tag != "" {
		if strings.HasPrefix(tag, "pattern=") {
			return append(parts, tag)
		}
		var part string
		part, tag, _ = strings.Cut(tag, ",")
		parts = append(parts, part)
	}
	return parts
}

// constrain applies a schema tag.
func (n *node) constrain(tag string) error {
	for _, part := range splitTag(tag) {
		key, value, _ := strings.Cut(part, "=")
		if err := n.apply(key, value); err != nil {
			return err
		}
	}
	if n.minLength > n.maxLength || n.minItems > n.maxItems || n.minimum > n.maximum {
		return fmt.Errorf("a lower bound is above the upper one in %q", tag)
	}
	return nil
}

func (n *node) apply(key, value string) (err error) {
	var shapes []shape // where the key makes sense; any if empty
	switch key {
	case "required":
	case "default":
		return n.applyDefault(value)
	case "minLength":
		shapes = []shape{shapeString}
		n.minLength, err = strconv.Atoi(value)
	case "maxLength":
		shapes = []shape{shapeString}
		n.maxLength, err = strconv.Atoi(value)
	case "pattern":
		shapes = []shape{shapeString}
		n.pattern, err = compilePattern(value)
	case "enum":
		shapes = []shape{shapeString}
		n.enum = strings.Split(value, "|")
		if n.nullable {
			return fmt.Errorf("enum on a nullable value")
		}
	case "minimum":
		shapes = []shape{shapeInteger}
		n.minimum, err = strconv.ParseInt(value, 10, 64)
	case "maximum":
		shapes = []shape{shapeInteger}
		n.maximum, err = strconv.ParseInt(value, 10, 64)
	case "minItems":
		shapes = []shape{shapeArray}
		n.minItems, err = strconv.Atoi(value)
	case "maxItems":
		shapes = []shape{shapeArray}
		n.maxItems, err = strconv.Atoi(value)
	case "maxProperties":
		shapes = []shape{shapeFree}
		n.maxProperties, err = strconv.Atoi(value)
	default:
		return fmt.Errorf("unknown constraint %q", key)
	}
	if err == nil && len(shapes) > 0 && !slices.Contains(shapes, n.shape) {
		return fmt.Errorf("%s does not apply to a value of Go type %s", key, n.typ)
	}
	return err
}

func (n *node) applyDefault(text string) (err error) {
	if n.wrap != wrapNone {
		return fmt.Errorf("a default makes the difference between absent and present invisible: use a plain field")
	}
	def := reflect.New(n.typ).Elem()
	switch n.shape {
	case shapeString:
		def.SetString(text)
	case shapeInteger:
		var v int64
		v, err = strconv.ParseInt(text, 10, 64)
		def.SetInt(v)
	case shapeBoolean:
		var v bool
		v, err = strconv.ParseBool(text)
		def.SetBool(v)
	default:
		return fmt.Errorf("default does not apply to a value of Go type %s", n.typ)
	}
	n.def = def
	return err
}

// pattern is a regular expression with a shortcut for the common case, one class of ASCII characters for all of the
// text, which a table answers many times faster.
type pattern struct {
	regexp *regexp.Regexp
	class  *[utf8.RuneSelf]bool
}

func compilePattern(expr string) (*pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	return &pattern{regexp: re, class: asciiClass(expr)}, nil
}

func (p *pattern) match(text []byte) bool {
	if p.class == nil {
		return p.regexp.Match(text)
	}
	for _, c := range text {
		if c >= utf8.RuneSelf || !p.class[c] {
			return false
		}
	}
	return len(text) > 0
}

// asciiClass returns the table for an expression of the form ^[class]+$, and nil for any other.
func asciiClass(expr string) *[utf8.RuneSelf]bool {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) != 3 ||
		re.Sub[0].Op != syntax.OpBeginText || re.Sub[1].Op != syntax.OpPlus || re.Sub[2].Op != syntax.OpEndText {
		return nil
	}
	class := re.Sub[1].Sub[0]
	if class.Op != syntax.OpCharClass {
		return nil
	}
	var table [utf8.RuneSelf]bool
	for i := 0; i < len(class.Rune); i += 2 {
		if class.Rune[i+1] >= utf8.RuneSelf {
			return nil
		}
		for r := class.Rune[i]; r <= class.Rune[i+1]; r++ {
			table[r] = true
		}
	}
	return &table
}
