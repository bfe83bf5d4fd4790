package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/schema"
)

// refusesDescription expects that T cannot be compiled.
func refusesDescription[T any](t *testing.T, reason string) {
	t.Helper()
	_, err := schema.Compile[T]("test")
	require.ErrorContains(t, err, reason)
	require.Panics(t, func() { schema.MustCompile[T]("test") })
}

type recursive struct {
	Next []recursive `json:"next"`
}

// A slip in a tag must stop the server at its start, not weaken a rule.
func TestCompile_RefusesDescriptionsThatMakeNoSense(t *testing.T) {
	refusesDescription[string](t, "a struct or a slice")
	refusesDescription[recursive](t, "contains itself")
	refusesDescription[struct {
		A string `json:"a" schema:"minLenght=1"`
	}](t, `constraint "minLenght" is unknown`)
	refusesDescription[struct {
		A string `json:"a" schema:"minLength=x"`
	}](t, "invalid syntax")
	refusesDescription[struct {
		A string `json:"a" schema:"pattern=["`
	}](t, "missing closing ]")
	refusesDescription[struct {
		A int64 `json:"a" schema:"maxLength=1"`
	}](t, `constraint "maxLength" is unknown, or not for a value of Go type int64`)
	refusesDescription[struct {
		A int64 `json:"a" schema:"minimum=2,maximum=1"`
	}](t, "above the upper one")
	refusesDescription[struct {
		A *int64 `json:"a" schema:"default=1"`
	}](t, "use a plain field")
	refusesDescription[struct {
		A int64 `json:"a" schema:"required,default=1"`
	}](t, "contradicts")
	refusesDescription[struct {
		A float64 `json:"a"`
	}](t, "cannot be described")
	refusesDescription[struct {
		A *schema.Nullable[string] `json:"a"`
	}](t, "cannot be described")
	refusesDescription[struct{ A string }](t, "plain json name")
	refusesDescription[struct{ a string }](t, "must be exported")
	refusesDescription[struct {
		A []*string `json:"a"`
	}](t, "elements are plain values")
}

func TestCompile_KeepsCommasOfPatterns(t *testing.T) {
	s := schema.MustCompile[struct {
		A string `json:"a" schema:"required,pattern=^[a-z]{1,3}$"`
	}]("test")
	mustDecode(t, s, `{"a":"abc"}`)
	require.Equal(t, one("/properties/a/pattern", "'abcd' does not match pattern '^[a-z]{1,3}$'"), violations(t, s, `{"a":"abcd"}`))
}

func TestJSONSchema_DescribesTheBody(t *testing.T) {
	text, err := json.Marshal(verifyKey.JSONSchema(nil))
	require.NoError(t, err)
	require.JSONEq(t, `{
		"type": "object",
		"additionalProperties": false,
		"required": ["key"],
		"properties": {
			"key": {"type": "string", "minLength": 1, "maxLength": 512, "description": "The key to verify."},
			"credits": {"type": "object", "additionalProperties": false, "required": ["cost"], "properties": {
				"cost": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 1000000000000}}},
			"tags": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 512}},
			"permissions": {"type": "string", "minLength": 1, "maxLength": 1000},
			"ratelimits": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {
				"name": {"type": "string", "minLength": 3, "maxLength": 255},
				"cost": {"type": "integer", "format": "int64", "minimum": 0, "default": 1},
				"limit": {"type": "integer", "format": "int64", "minimum": 0},
				"duration": {"type": "integer", "format": "int64", "minimum": 0}}}},
			"migrationId": {"type": "string", "maxLength": 256}
		}
	}`, string(text))
}

func TestJSONSchema_DescribesNullableAndFreeForm(t *testing.T) {
	properties := updateKey.JSONSchema(nil)["properties"].(map[string]any)
	require.Equal(t, map[string]any{"type": []any{"object", "null"}, "maxProperties": int64(100), "additionalProperties": true}, properties["meta"])
}
