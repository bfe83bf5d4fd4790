package schema

import (
	"math"
	"math/bits"
	"reflect"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type shape uint8

const (
	shapeString shape = iota
	shapeInteger
	shapeBoolean
	shapeObject
	shapeArray
	shapeFree // Object
)

// jsonTypes are the names of the shapes in a schema.
var jsonTypes = [...]string{"string", "integer", "boolean", "object", "array", "object"}

// bounds are the keywords of the least and the most that a shape may have.
var bounds = [...]struct{ min, max string }{
	shapeString:  {"minLength", "maxLength"},
	shapeInteger: {"minimum", "maximum"},
	shapeBoolean: {},
	shapeObject:  {},
	shapeArray:   {"minItems", "maxItems"},
	shapeFree:    {"minProperties", "maxProperties"},
}

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
	full     reflect.Type // of the value with its wrapping
	typ      reflect.Type // of the value inside it
	loc      string       // keyword path, "/properties/credits"
	path     string       // for people, "credits.cost"

	min, max int64 // code points, value, items or properties
	pattern  *pattern
	enum     []string

	elem  *node // of an array
	later bool  // its elements are not kept: see Later

	fields   []field // of an object
	required uint64  // bit per field
	loose    bool
	span     int // position of the Span among the fields of the struct, -1: none

	doc string
	def reflect.Value // what an absent field holds; invalid if none

	alone func() *jsonschema.Schema // the validator of keywords, made when it is first needed
}

type field struct {
	name  string
	index int
	*node
}

// maxFields is what fits the bit sets of the walker.
const maxFields = 64

// lowest is the lower bound that says nothing.
func (n *node) lowest() int64 {
	if n.shape == shapeInteger {
		return math.MinInt64
	}
	return 0
}

func (n *node) within(count int) bool { return n.min <= int64(count) && int64(count) <= n.max }

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

// names returns the names of the fields in the set, in the order of the description.
func (n *node) names(set uint64) []any {
	var names []any
	for ; set != 0; set &= set - 1 {
		names = append(names, n.fields[bits.TrailingZeros64(set)].name)
	}
	return names
}
