package schema

import (
	"math"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// JSONSchema returns the description as a JSON Schema, draft 2020-12, which is also an OpenAPI 3.1 Schema Object. Each object of a named
// Go type passes through define, which may return a reference in its place; nil leaves all objects in place. The result belongs to
// the caller.
func (s *Schema[T]) JSONSchema(define func(name string, object map[string]any) map[string]any) map[string]any {
	return s.root.jsonSchema(define)
}

func (n *node) jsonSchema(define func(string, map[string]any) map[string]any) map[string]any {
	m := n.keywords()
	switch n.shape {
	case shapeArray:
		m["items"] = n.elem.jsonSchema(define)
	case shapeObject:
		for i := range n.fields {
			m["properties"].(map[string]any)[n.fields[i].name] = n.fields[i].jsonSchema(define)
		}
		if name := n.typ.Name(); name != "" && define != nil {
			if n.nullable {
				name += "OrNull"
			}
			return define(name, m)
		}
	}
	return m
}

// keywords is the schema of a value without that of its members and elements.
func (n *node) keywords() map[string]any {
	m := map[string]any{"type": jsonTypes[n.shape]}
	if n.nullable {
		m["type"] = []any{jsonTypes[n.shape], "null"}
	}
	if n.doc != "" {
		m["description"] = n.doc
	}
	if n.def.IsValid() {
		m["default"] = n.def.Interface()
	}
	if n.min != n.lowest() {
		m[bounds[n.shape].min] = n.min
	}
	if n.max != math.MaxInt64 {
		m[bounds[n.shape].max] = n.max
	}
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
	case shapeFree:
		m["additionalProperties"] = true
	case shapeObject:
		properties := make(map[string]any, len(n.fields))
		for i := range n.fields {
			properties[n.fields[i].name] = true
		}
		m["properties"] = properties
		if !n.loose {
			m["additionalProperties"] = false
		}
		if n.required != 0 {
			m["required"] = n.names(n.required)
		}
	}
	return m
}

// compileAlone compiles keywords for the validator.
func (n *node) compileAlone() *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	if err := c.AddResource("keywords", n.keywords()); err != nil {
		panic(err) // by construction a schema
	}
	return c.MustCompile("keywords")
}
