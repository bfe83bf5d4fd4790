package openapi

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"github.com/creditd/creditd/api/schema"
)

// Shaped is a type that encodes itself. The document describes the type of what Shape returns instead.
type Shaped interface{ Shape() any }

// Varied is a type that stands for one of several. The document describes the types of what Alternatives returns.
type Varied interface{ Alternatives() []any }

// shapes are the named schemas that were described so far.
type shapes map[string]any

var (
	shapedType = reflect.TypeFor[Shaped]()
	variedType = reflect.TypeFor[Varied]()
	objectType = reflect.TypeFor[schema.Object]()
)

// of describes the JSON that package encoding/json writes for a type. A type that it cannot describe is a defect.
func (s shapes) of(t reflect.Type) map[string]any {
	if t == objectType {
		return map[string]any{"type": "object", "additionalProperties": true}
	}
	if t.Implements(shapedType) && t.Kind() != reflect.Pointer {
		return s.of(reflect.TypeOf(reflect.Zero(t).Interface().(Shaped).Shape()))
	}
	if t.Implements(variedType) {
		var list []any
		for _, v := range reflect.Zero(t).Interface().(Varied).Alternatives() {
			list = append(list, s.of(reflect.TypeOf(v)))
		}
		return map[string]any{"anyOf": list}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer", "format": "int64"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Struct:
		return s.reference(t)
	}
	panic(fmt.Sprintf("openapi: %s has a type that cannot be described", t))
}

// reference describes a struct and refers to it.
func (s shapes) reference(t reflect.Type) map[string]any {
	name := t.Name()
	if name == "" || strings.ContainsAny(name, "[·") || t.NumField() == 0 {
		return s.object(t)
	}
	name = componentName(name)
	known, met := s[name]
	if met && known == nil {
		return reference("schemas", name) // a type may contain itself
	}
	s[name] = nil
	described := s.object(t)
	if met {
		s[name] = known
	} else {
		delete(s, name)
	}
	return s.define(name, described)
}

// define gives a schema a name and returns a reference to it.
func (s shapes) define(name string, schema map[string]any) map[string]any {
	name = componentName(name)
	if known, met := s[name]; met && !reflect.DeepEqual(known, any(schema)) {
		panic("openapi: two schemas have the name " + name)
	}
	s[name] = schema
	return reference("schemas", name)
}

// componentName is the name of a type as the document spells it.
func componentName(name string) string { return string(unicode.ToUpper(rune(name[0]))) + name[1:] }

func (s shapes) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []any{}
	s.addFields(t, properties, &required)
	m := map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		m["required"] = required
	}
	return m
}

func (s shapes) addFields(t reflect.Type, properties map[string]any, required *[]any) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported() && !field.Anonymous:
			continue
		case name == "" && field.Anonymous:
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			s.addFields(embedded, properties, required)
			continue
		case name == "":
			name = field.Name
		}
		shown := s.of(field.Type)
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if !optional {
			*required = append(*required, name)
			if field.Type.Kind() == reflect.Pointer {
				shown = nullable(shown)
			}
		}
		if doc := field.Tag.Get("doc"); doc != "" {
			shown["description"] = doc
		}
		properties[name] = shown
	}
}

// nullable describes a pointer that is always sent.
func nullable(m map[string]any) map[string]any {
	if kind, ok := m["type"].(string); ok {
		m["type"] = []any{kind, "null"}
		return m
	}
	return map[string]any{"anyOf": []any{m, map[string]any{"type": "null"}}}
}
