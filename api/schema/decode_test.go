package schema_test

import (
	"encoding/json"
	"fmt"
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
	require.True(t, req.Permissions.Set())
	require.Equal(t, "a AND b", req.Permissions.Value)
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

// docs/contract.md 1.8: the three states must stay apart, because they mean keep, clear and set.
func TestDecode_TellsAbsentNullAndValueApart(t *testing.T) {
	absent := mustDecode(t, updateKey, `{"keyId":"abc"}`).Name
	require.True(t, !absent.Null() && !absent.Set())
	null := mustDecode(t, updateKey, `{"keyId":"abc","name":null}`).Name
	require.True(t, null.Null() && !null.Set())
	value := mustDecode(t, updateKey, `{"keyId":"abc","name":"n"}`).Name
	require.True(t, !value.Null() && value.Set())
	require.Equal(t, "n", value.Value)
}

func TestDecode_ReadsNestedStates(t *testing.T) {
	req := mustDecode(t, updateKey, `{"keyId":"abc","credits":{"remaining":null,"refill":{"interval":"daily","amount":5}}}`)
	require.True(t, req.Credits.Value.Remaining.Null())
	require.Equal(t, refill{Interval: "daily", Amount: 5}, req.Credits.Value.Refill.Value)
}

// An empty list replaces, an absent one keeps.
func TestDecode_TellsEmptyListFromAbsent(t *testing.T) {
	require.Nil(t, mustDecode(t, updateKey, `{"keyId":"abc"}`).Roles)
	require.NotNil(t, mustDecode(t, updateKey, `{"keyId":"abc","roles":[]}`).Roles)
}

func TestDecode_FillsDefaults(t *testing.T) {
	require.True(t, mustDecode(t, createKey, `{"apiId":"abc"}`).Enabled)
	require.False(t, mustDecode(t, createKey, `{"apiId":"abc","enabled":false}`).Enabled)
}

func TestDecode_TakesLastOfRepeatedNames(t *testing.T) {
	req := mustDecode(t, verifyKey, `{"key":5,"credits":{"cost":1},"\u006bey":"last","credits":{"cost":2}}`)
	require.Equal(t, "last", req.Key)
	require.Equal(t, int64(2), req.Credits.Cost)
}

func TestDecode_ReportsOnlyLastOfRepeatedNames(t *testing.T) {
	require.Equal(t, one("/properties/key/type", "got null, want string"), violations(t, verifyKey, `{"key":5,"key":null}`))
}

func TestDecode_MatchesNamesCaseSensitively(t *testing.T) {
	require.Equal(t, []schema.Violation{
		{Location: "/required", Message: "missing property 'key'"},
		{Location: "/additionalProperties", Message: "additional properties 'Key' not allowed"},
	}, violations(t, verifyKey, `{"Key":"k"}`))
}

// docs/contract.md 1.9: these objects ignore what they do not know.
func TestDecode_IgnoresUnknownPropertiesOfLooseObjects(t *testing.T) {
	req := mustDecode(t, createIdentity, `{"externalId":"u","foo":{"a":[1,"}"]},"ratelimits":[{"name":"abc","limit":1,"duration":1000,"autoApply":true,"id":"x"}]}`)
	require.Equal(t, "abc", req.Ratelimits[0].Name)
}

func TestDecode_KeepsStrictObjectsInsideLooseOnesStrict(t *testing.T) {
	require.Equal(t, one("/properties/credits/additionalProperties", "additional properties 'x' not allowed"),
		violations(t, createIdentity, `{"externalId":"u","credits":{"remaining":1,"x":1}}`))
}

func TestDecode_CountsCodePoints(t *testing.T) {
	mustDecode(t, createKey, `{"apiId":"abc","name":"`+strings.Repeat("😀", 250)+strings.Repeat(`\ud83d\ude00`, 5)+`"}`)
	require.Equal(t, one("/properties/name/maxLength", "maxLength: got 256, want 255"),
		violations(t, createKey, `{"apiId":"abc","name":"`+strings.Repeat("é", 256)+`"}`))
}

func TestDecode_ResolvesEscapes(t *testing.T) {
	require.Equal(t, "\"\\/\b\f\n\r\tA😀é", mustDecode(t, verifyKey, `{"key":"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00é"}`).Key)
}

func TestDecode_RefusesTextThatIsNotJSON(t *testing.T) {
	for _, body := range []string{
		" ", "{", `{"key":"k"`, `{"key":"k",}`, `{"key":"k"}}`, `{"key":"k"} {}`, `{key:"k"}`, `{"key":'k'}`, `{"key":"k"/**/}`,
		"\ufeff{}", "{\"key\":\"\xff\"}", "{\"key\":\"a\nb\"}", `{"key":"\ud800"}`, `{"key":"\ud800\u0041"}`, `{"key":"\x"}`, `{"key":"\u12`,
		`{"key":01}`, `{"key":+1}`, `{"key":1.}`, `{"key":.5}`, `{"key":1e}`, `{"key":NaN}`, `{"key":tru}`, `{"key":nulll}`, `[1 2]`, "{\"key\":\"k\"}\x00",
	} {
		problem := mustRefuse(t, verifyKey, schema.KindMalformed, body)
		require.Len(t, problem.Errors, 1)
		require.Equal(t, "requestBody", problem.Errors[0].Location)
		require.NotEmpty(t, problem.Errors[0].Fix)
	}
}

func TestDecode_RefusesEmptyBody(t *testing.T) {
	problem := mustRefuse(t, verifyKey, schema.KindEmpty, "")
	require.Equal(t, "requestBody", problem.Errors[0].Location)
	require.NotEmpty(t, problem.Errors[0].Fix)
	require.Equal(t, "POST request body is empty for '/v2/keys.verifyKey'", problem.Detail("/v2/keys.verifyKey"))
}

// Clients compare this text.
func TestProblem_DetailOfSchemaViolations(t *testing.T) {
	for _, problem := range []*schema.Problem{
		mustRefuse(t, verifyKey, schema.KindSchema, `{}`),
		mustRefuse(t, verifyKey, schema.KindMalformed, `{`),
	} {
		require.Equal(t, "POST request body for '/v2/keys.verifyKey' failed to validate schema", problem.Detail("/v2/keys.verifyKey"))
		require.False(t, problem.AfterAuth())
	}
}

// docs/contract.md 1.2 step 5: numbers that satisfy the schema but not the decoder are reported after authentication.
func TestDecode_HoldsBackValuesThatDoNotFit(t *testing.T) {
	for cost, reason := range map[string]string{
		"1.0": "must be written as an integer, without fraction or exponent",
		"1e2": "must be written as an integer, without fraction or exponent",
		"0.0": "must be written as an integer, without fraction or exponent",
	} {
		problem := mustRefuse(t, verifyKey, schema.KindValue, `{"key":"k","credits":{"cost":`+cost+`}}`)
		require.True(t, problem.AfterAuth())
		require.Empty(t, problem.Errors)
		require.Equal(t, "The value of 'credits.cost' "+reason, problem.Detail("/p"))
	}
	problem := mustRefuse(t, updateCredits, schema.KindValue, `{"keyId":"abc","operation":"set","value":9223372036854775808}`)
	require.Equal(t, "The value of 'value' does not fit a signed 64-bit integer", problem.Detail("/p"))
}

func TestDecode_AcceptsLargestInteger(t *testing.T) {
	req := mustDecode(t, updateCredits, `{"keyId":"abc","operation":"set","value":9223372036854775807}`)
	require.True(t, req.Value.Set())
	require.Equal(t, int64(9223372036854775807), req.Value.Value)
}

// A violation elsewhere must not be hidden until after authentication.
func TestDecode_PrefersViolationsToValuesThatDoNotFit(t *testing.T) {
	require.Equal(t, one("/required", "missing property 'key'"), violations(t, verifyKey, `{"credits":{"cost":1.0}}`))
}

func TestDecode_KeepsObjectsAsCompactText(t *testing.T) {
	for in, want := range map[string]string{
		`{ }`: `{}`,
		`{ "a" : [ 1.50 , null ,{ "b":"x y" } ] , "c" : 12345678901234567890 }`: `{"a":[1.50,null,{"b":"x y"}],"c":12345678901234567890}`,
		`{"a":1,"b":2,"\u0061":3}`:    `{"b":2,"\u0061":3}`,
		`{"o":{"a":1,"a":{"x":[ ]}}}`: `{"o":{"a":{"x":[]}}}`,
	} {
		require.Equal(t, schema.Object(want), mustDecode(t, createKey, `{"apiId":"abc","meta":`+in+`}`).Meta)
	}
}

// The limit is on distinct names, as everywhere where the last member counts.
func TestDecode_CountsRepeatedNamesOfObjectsOnce(t *testing.T) {
	body := strings.TrimSuffix(wideObject(100), "}") + `,"p0":0}`
	require.Contains(t, string(mustDecode(t, createKey, `{"apiId":"abc","meta":`+body+`}`).Meta), `"p99":99,"p0":0}`)
}

// The caller reuses its buffers.
func TestDecode_SharesNoMemoryWithBody(t *testing.T) {
	body := []byte(`{"apiId":"abc","roles":["r"],"meta":{"a":1}}`)
	req, problem := createKey.Decode(body)
	require.Nil(t, problem)
	clear(body)
	require.Equal(t, keyID("abc"), req.APIID)
	require.Equal(t, []roleName{"r"}, req.Roles)
	require.Equal(t, schema.Object(`{"a":1}`), req.Meta)
}

func TestDecode_BoundsNesting(t *testing.T) {
	nested := func(levels int) string {
		return `{"apiId":"abc","meta":{"a":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}}`
	}
	mustDecode(t, createKey, nested(schema.MaxDepth-2))
	problem := mustRefuse(t, createKey, schema.KindMalformed, nested(schema.MaxDepth-1))
	require.Contains(t, problem.Errors[0].Message, "nested deeper than 64 levels")
}

// The pass that reads an object stops at the first property that is too many, wherever the object stands.
func TestDecode_BoundsPropertiesWhileReading(t *testing.T) {
	const names = schema.MaxProperties
	in := func(object string) string { return `{"apiId":"abc","meta":{"a":[` + object + `]}}` }
	mustDecode(t, createKey, in(wideObject(names)+`,`+wideObject(names)))
	for place, body := range map[string]string{
		"below meta": in(wideObject(5 * names)), "in meta": `{"apiId":"abc","meta":` + wideObject(5*names) + `}`,
		"unknown names": wideObject(10 * names), "repeated": in(`{` + strings.Repeat(`"a":1,`, names) + `"a":1}`),
	} {
		problem := mustRefuse(t, createKey, schema.KindMalformed, body)
		var at int
		_, err := fmt.Sscanf(problem.Errors[0].Message, "The request body cannot be decoded: object with more than 100000 properties at byte %d", &at)
		require.NoError(t, err, place)
		require.Less(t, at, len(in(wideObject(names+1))), place)
	}
}

// Repeated names are found in any number of properties, also when escapes hide them, and the last one counts.
func TestDecode_KeepsTheLastOfManyNames(t *testing.T) {
	for _, names := range []int{3, 16, 17, 1000} {
		var body, want []string
		for i := range names {
			body = append(body, fmt.Sprintf(`"\u0061%d":0`, i))
		}
		for i := range names {
			body = append(body, fmt.Sprintf(`"a%d":%d`, i, i))
			want = append(want, fmt.Sprintf(`"a%d":%d`, i, i))
		}
		req := mustDecode(t, createKey, `{"apiId":"abc","meta":{"b":{`+strings.Join(body, ",")+`}}}`)
		require.Equal(t, `{"b":{`+strings.Join(want, ",")+`}}`, string(req.Meta))
	}
}

// Anyone may send a body, authenticated or not: neither the time nor the answer may grow out of proportion.
func TestDecode_BoundsAnswersToHostileBodies(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string]string{
		"wrong elements":  `{"key":"k","tags":[` + strings.Repeat(`1,`, size/2) + `1]}`,
		"unknown names":   strings.TrimSuffix(wideObject(size/12), "}") + `,"key":"k"}`,
		"repeated name":   `{` + strings.Repeat(`"key":1,`, size/8) + `"key":1}`,
		"long name":       `{"` + strings.Repeat("a", size) + `":1}`,
		"long number":     `{"key":"k","credits":{"cost":` + strings.Repeat("9", size) + `}}`,
		"long fraction":   `{"key":"k","credits":{"cost":0.` + strings.Repeat("0", size) + `1}}`,
		"huge exponents":  `{"key":"k","ratelimits":[` + strings.Repeat(`{"name":"abc","cost":1e999999,"limit":-1e999999},`, size/48) + `{}]}`,
		"open brackets":   strings.Repeat("[", size),
		"open objects":    strings.Repeat(`{"key":`, size/7),
		"missing in each": `{"key":"k","ratelimits":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, problem := verifyKey.Decode([]byte(body))
			require.NotNil(t, problem)
			require.LessOrEqual(t, len(problem.Errors), schema.MaxErrors)
			for _, v := range problem.Errors {
				require.Less(t, len(v.Message), 4096)
			}
		})
	}
}

func TestDecode_ShortensQuotedValues(t *testing.T) {
	problem := mustRefuse(t, createKey, schema.KindSchema, `{"apiId":"`+strings.Repeat("ä", 100_000)+`"}`)
	require.Less(t, len(problem.Errors[1].Message), 1024)
}

func TestDecode_RemovesRepeatedNamesInLinearTime(t *testing.T) {
	var b strings.Builder
	for i := range 49_000 {
		fmt.Fprintf(&b, `"a%d":1,"a0":2,`, i)
	}
	req := mustDecode(t, createKey, `{"apiId":"abc","meta":{"o":{`+b.String()+`"z":3}}}`)
	require.True(t, strings.HasSuffix(string(req.Meta), `"a0":2,"z":3}}`))
	require.Equal(t, 1, strings.Count(string(req.Meta), `"a0"`))
}

// The path of every request that is in order.
func TestDecode_AllocatesOnlyTheResult(t *testing.T) {
	body := []byte(verifyBody)
	allocs := testing.AllocsPerRun(100, func() {
		if _, problem := verifyKey.Decode(body); problem != nil {
			t.Error(problem)
		}
	})
	require.LessOrEqual(t, allocs, 3.0) // the request, its key, its credits
}

func TestObject_MarshalsAsItself(t *testing.T) {
	text, err := json.Marshal(map[string]schema.Object{"absent": "", "meta": `{"a":1}`})
	require.NoError(t, err)
	require.JSONEq(t, `{"absent":{},"meta":{"a":1}}`, string(text))
}
