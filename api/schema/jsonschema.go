package schema

import (
	"encoding/json"
	"math"
)

// JSONSchema returns the description as a JSON Schema, draft 2020-12, which is also an OpenAPI 3.1 Schema Object. The
// result belongs to the caller.
func (s *Schema[T]) JSONSchema() map[string]any { return s.root.jsonSchema() }

func (n *node) jsonSchema() map[string]any {
	m := map[string]any{}
	if n.doc != "" {
		m["description"] = n.doc
	}
	if n.shape == shapeUnsupported {
		// Violated by whatever value. "not" carries a description where the schema false could not.
		m["not"] = map[string]any{}
		if n.doc == "" {
			m["description"] = "Not supported by this version of the server."
		}
		return m
	}
	m["type"] = jsonTypes[n.shape]
	if n.nullable {
		m["type"] = []any{jsonTypes[n.shape], "null"}
	}
	if n.example != "" {
		m["examples"] = []any{n.exampleValue()}
	}
	if n.def.IsValid() {
		m["default"] = n.def.Interface()
	}
	n.addKeywords(m)
	return m
}

// exampleValue reads the example tag: JSON, or else, for a string, the text itself.
func (n *node) exampleValue() any {
	var v any
	if json.Unmarshal([]byte(n.example), &v) == nil {
		if _, isString := v.(string); isString || n.shape != shapeString {
			return v
		}
	}
	return n.example
}

func (n *node) addKeywords(m map[string]any) {
	addBound(m, "minLength", n.minLength, 0)
	addBound(m, "maxLength", n.maxLength, math.MaxInt)
	addBound(m, "minItems", n.minItems, 0)
	addBound(m, "maxItems", n.maxItems, math.MaxInt)
	addBound(m, "maxProperties", n.maxProperties, math.MaxInt)
	addBound(m, "minimum", n.minimum, math.MinInt64)
	addBound(m, "maximum", n.maximum, math.MaxInt64)
	if n.pattern != nil {
		m["pattern"] = n.pattern.regexp.String()
	}
	if n.enum != nil {
		values := make([]any, len(n.enum))
		for i, v := range n.enum {
			values[i] = v
		}
		m["enum"] = values
	}
	switch n.shape {
	case shapeInteger:
		m["format"] = "int64"
	case shapeArray:
		m["items"] = n.elem.jsonSchema()
	case shapeFree:
		m["additionalProperties"] = true
	case shapeObject:
		n.addProperties(m)
	}
}

func (n *node) addProperties(m map[string]any) {
	properties := make(map[string]any, len(n.fields))
	for i := range n.fields {
		properties[n.fields[i].name] = n.fields[i].jsonSchema()
	}
	m["properties"] = properties
	m["additionalProperties"] = n.loose
	if n.required != 0 {
		var required []any
		for _, name := range n.missing(n.required) {
			required = append(required, name)
		}
		m["required"] = required
	}
}

// addBound adds a bound unless it is the one that says nothing.
func addBound[N int | int64](m map[string]any, keyword string, value, nothing N) {
	if value != nothing {
		m[keyword] = value
	}
}
