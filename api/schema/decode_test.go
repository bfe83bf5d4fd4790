package schema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/schema"
)

// mustDecode decodes a body that must be accepted.
func mustDecode[T any](t testing.TB, s *schema.Schema[T], body string) T {
	t.Helper()
	req, problem := s.Decode([]byte(body))
	require.Nil(t, problem, "%+v", problem)
	return req
}

// mustRefuse decodes a body that must be refused for the given kind of reason.
func mustRefuse[T any](t testing.TB, s *schema.Schema[T], kind schema.Kind, body string) *schema.Problem {
	t.Helper()
	req, problem := s.Decode([]byte(body))
	require.NotNil(t, problem, "accepted as %+v", req)
	require.Equal(t, kind, problem.Kind, "%+v", problem)
	require.NotNil(t, problem.Errors)
	return problem
}

// violations are the items of a body refused by the schema, without the fix.
func violations[T any](t testing.TB, s *schema.Schema[T], body string) []schema.Violation {
	t.Helper()
	return mustRefuse(t, s, schema.KindSchema, body).Errors
}

func TestDecode_ReadsVerifyKey(t *testing.T) {
	req := mustDecode(t, verifyKey, ` { "key" : "sk_1" , "credits":{"cost":7}, "tags":["a","b"],
		"permissions":"a AND b", "ratelimits":[{"name":"abc"},{"name":"def","cost":0,"limit":5,"duration":1000}], "migrationId":"m" } `)
	require.Equal(t, "sk_1", req.Key)
	require.Equal(t, int64(7), req.Credits.Cost)
	require.Equal(t, []string{"a", "b"}, req.Tags)
	require.Equal(t, schema.Some("a AND b"), req.Permissions)
	require.Equal(t, int64(1), req.Ratelimits[0].Cost)
	require.Nil(t, req.Ratelimits[0].Limit)
	require.Equal(t, int64(0), req.Ratelimits[1].Cost)
	require.Equal(t, int64(5), *req.Ratelimits[1].Limit)
	require.Equal(t, "m", req.MigrationID)
}

// The table of docs/contract.md 1.7.
func TestDecode_ReportsViolations(t *testing.T) {
	for name, c := range map[string]struct {
		got  []schema.Violation
		want []schema.Violation
	}{
		"too short":                   {violations(t, updateCredits, `{"keyId":"ab","operation":"set"}`), one("/properties/keyId/minLength", "minLength: got 2, want 3")},
		"too long":                    {violations(t, createKey, `{"apiId":"abc","prefix":"aaaaaaaaaaaaaaaaa"}`), one("/properties/prefix/maxLength", "maxLength: got 17, want 16")},
		"missing":                     {violations(t, verifyKey, `{}`), one("/required", "missing property 'key'")},
		"missing, nested":             {violations(t, createKey, `{"apiId":"abc","credits":{}}`), one("/properties/credits/required", "missing property 'remaining'")},
		"missing, several":            {violations(t, updateCredits, `{}`), one("/required", "missing properties 'keyId', 'operation'")},
		"unknown":                     {violations(t, verifyKey, `{"key":"k","foo":1,"bar":{}}`), one("/additionalProperties", "additional properties 'foo', 'bar' not allowed")},
		"unknown, nested":             {violations(t, verifyKey, `{"key":"k","credits":{"cost":1,"x":1}}`), one("/properties/credits/additionalProperties", "additional properties 'x' not allowed")},
		"wrong type":                  {violations(t, createKey, `{"apiId":"abc","name":5}`), one("/properties/name/type", "got number, want string")},
		"wrong type, nullable int":    {violations(t, updateCredits, `{"keyId":"abc","operation":"set","value":"5"}`), one("/properties/value/type", "got string, want null or integer")},
		"wrong type, nullable string": {violations(t, updateKey, `{"keyId":"abc","name":[]}`), one("/properties/name/type", "got array, want null or string")},
		"wrong type, nullable object": {violations(t, updateKey, `{"keyId":"abc","credits":true}`), one("/properties/credits/type", "got boolean, want null or object")},
		"null":                        {violations(t, verifyKey, `{"key":"k","credits":null}`), one("/properties/credits/type", "got null, want object")},
		"null array":                  {violations(t, createKey, `{"apiId":"abc","ratelimits":null}`), one("/properties/ratelimits/type", "got null, want array")},
		"null bool":                   {violations(t, createKey, `{"apiId":"abc","enabled":null}`), one("/properties/enabled/type", "got null, want boolean")},
		"null required":               {violations(t, verifyKey, `{"key":null}`), one("/properties/key/type", "got null, want string")},
		"fraction":                    {violations(t, verifyKey, `{"key":"k","credits":{"cost":1.5}}`), one("/properties/credits/properties/cost/type", "got number, want integer")},
		"below":                       {violations(t, verifyKey, `{"key":"k","credits":{"cost":-1}}`), one("/properties/credits/properties/cost/minimum", "minimum: got -1, want 0")},
		"above":                       {violations(t, createKey, `{"apiId":"abc","byteLength":256}`), one("/properties/byteLength/maximum", "maximum: got 256, want 255")},
		"above, beyond int64":         {violations(t, createKey, `{"apiId":"abc","byteLength":9223372036854775808}`), one("/properties/byteLength/maximum", "maximum: got 9.223372036854776×10¹⁸, want 255")},
		"pattern":                     {violations(t, createKey, `{"apiId":"a b"}`), one("/properties/apiId/pattern", "'a b' does not match pattern '^[a-zA-Z0-9_]+$'")},
		"enum":                        {violations(t, updateCredits, `{"keyId":"abc","operation":"add"}`), one("/properties/operation/enum", "value must be one of 'set', 'increment', 'decrement'")},
		"too few items":               {violations(t, multiLimit, `[]`), one("/minItems", "minItems: got 0, want 1")},
		"too many items":              {violations(t, verifyKey, `{"key":"k","tags":["a"`+strings.Repeat(`,"a"`, 20)+`]}`), one("/properties/tags/maxItems", "maxItems: got 21, want 20")},
		"element":                     {violations(t, verifyKey, `{"key":"k","tags":["","a",""]}`), two("/properties/tags/items/minLength", "minLength: got 0, want 1")},
		"element, top level":          {violations(t, multiLimit, `[{"namespace":"n","identifier":"i","limit":0,"duration":1000}]`), one("/items/properties/limit/minimum", "minimum: got 0, want 1")},
		"nested":                      {violations(t, createKey, `{"apiId":"abc","credits":{"remaining":1,"refill":{"interval":"monthly","amount":1,"refillDay":32}}}`), one("/properties/credits/properties/refill/properties/refillDay/maximum", "maximum: got 32, want 31")},
		"too many properties":         {violations(t, createKey, `{"apiId":"abc","meta":`+wideObject(101)+`}`), one("/properties/meta/maxProperties", "maxProperties: got 101, want 100")},
		"wrong type, body":            {violations(t, verifyKey, `[]`), one("/type", "got array, want object")},
		"wrong type, array body":      {violations(t, multiLimit, `{}`), one("/type", "got object, want array")},
		"null body":                   {violations(t, verifyKey, `null`), one("/type", "got null, want object")},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.got)
		})
	}
}

func one(location, message string) []schema.Violation {
	return []schema.Violation{{Location: location, Message: message}}
}

func two(location, message string) []schema.Violation {
	return append(one(location, message), one(location, message)...)
}
