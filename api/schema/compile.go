package schema

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Schema decodes and validates bodies described by T. Create it with [Compile] or [MustCompile], once, at start.
type Schema[T any] struct {
	root  *node
	spare sync.Pool // of *T, zero
}

// MustCompile is like [Compile] and panics if the description is wrong.
func MustCompile[T any](name string) *Schema[T] {
	s, err := Compile[T](name)
	if err != nil {
		panic(err)
	}
	return s
}

// Compile reads the description T. The name is that of the endpoint, for errors.
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
	return &Schema[T]{root: root}, nil
}

// compiler turns Go types into nodes.
type compiler struct {
	open []reflect.Type // structs around the current one, to find recursion
}

var (
	wrapperType   = reflect.TypeFor[wrapper]()
	describedType = reflect.TypeFor[Described]()
	objectType    = reflect.TypeFor[Object]()
	looseType     = reflect.TypeFor[Loose]()
	spanType      = reflect.TypeFor[Span]()
)

func (c *compiler) node(t reflect.Type, tag reflect.StructTag, loc, path string) (*node, error) {
	n := &node{full: t, loc: loc, path: path, max: math.MaxInt64}
	switch {
	case t.Kind() == reflect.Pointer:
		n.wrap, t = wrapPointer, t.Elem()
	case reflect.PointerTo(t).Implements(wrapperType):
		n.wrap = wrapState
		n.nullable = reflect.New(t).Interface().(wrapper).nullable()
		t = t.Field(0).Type
	}
	n.typ = t
	n.alone = sync.OnceValue(n.compileAlone)
	tags := []reflect.StructTag{tag}
	if t.Implements(describedType) {
		tags = []reflect.StructTag{reflect.StructTag(reflect.Zero(t).Interface().(Described).SchemaTag()), tag}
	}
	if err := c.fill(n, t, tags); err != nil {
		return nil, err
	}
	n.min = n.lowest()
	for _, tag := range tags {
		if err := n.constrain(tag.Get("schema")); err != nil {
			return nil, fmt.Errorf("%s: %w", n.where(), err)
		}
		if doc, ok := tag.Lookup("doc"); ok {
			n.doc = doc
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
	return nil
}

func (c *compiler) fillArray(n *node, t reflect.Type, tags []reflect.StructTag) (err error) {
	n.shape = shapeArray
	var items string
	for _, tag := range tags {
		if v, ok := tag.Lookup("items"); ok {
			items = v
		}
	}
	element := t.Elem()
	if l, ok := reflect.Zero(element).Interface().(later); ok {
		element, n.later = l.element(), true
	}
	n.elem, err = c.node(element, reflect.StructTag("schema:"+strconv.Quote(items)), n.loc+"/items", n.path+"[]")
	if err == nil && n.elem.wrap != wrapNone {
		err = fmt.Errorf("%s: elements are plain values", n.where())
	}
	return err
}

func (c *compiler) fillObject(n *node, t reflect.Type) error {
	n.shape, n.span = shapeObject, -1
	if slices.Contains(c.open, t) {
		return fmt.Errorf("%s: %s contains itself", n.where(), t)
	}
	c.open = append(c.open, t)
	defer func() { c.open = c.open[:len(c.open)-1] }()
	for i := range t.NumField() {
		switch f := t.Field(i); {
		case f.Name == "_" && f.Type == looseType:
			n.loose = true
		case f.Type == spanType && f.IsExported() && f.Tag == "":
			n.span = i
		default:
			if err := c.addField(n, t, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *compiler) addField(n *node, t reflect.Type, i int) error {
	f := t.Field(i)
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "" || name == "-" || options != "" && options != "omitempty" || !f.IsExported() || f.Anonymous:
		return fmt.Errorf("%s: field %s.%s must be exported and have a plain json name", n.where(), t, f.Name)
	case n.find([]byte(name), 0) >= 0:
		return fmt.Errorf("%s: property %s is described twice", n.where(), name)
	case len(n.fields) == maxFields:
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
		if sub.def.IsValid() {
			return fmt.Errorf("%s: required contradicts a default", path)
		}
		n.required |= 1 << len(n.fields)
	}
	n.fields = append(n.fields, field{name: name, index: i, node: sub})
	return nil
}

func escapePointer(token string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}
