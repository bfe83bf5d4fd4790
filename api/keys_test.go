package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// quote returns s as JSON.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// newKey makes a key of the fixture's API with these further fields and returns the fixture about it.
func (s *server) newKey(f fixture, fields string) fixture {
	s.t.Helper()
	re := s.post("keys.createKey", `{"apiId":"`+f.apiID+`"`+fields+`}`)
	f.keyID, f.key = re.field("keyId"), re.field("key")
	return f
}

// key returns what getKey shows, without what differs from run to run.
func (s *server) showKey(f fixture) string {
	s.t.Helper()
	var data map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(s.must("keys.getKey", f.in(`{"keyId":"KEYID"}`))), &data))
	for _, field := range []string{"keyId", "start", "createdAt"} {
		require.NotEmpty(s.t, data[field])
		delete(data, field)
	}
	if i, ok := data["identity"].(map[string]any); ok {
		require.NotEmpty(s.t, i["id"])
		delete(i, "id")
	}
	b, err := json.Marshal(data)
	require.NoError(s.t, err)
	return string(b)
}

// keys.createKey: docs/contract.md 2.3 and 1.11.
func TestCreateKey_Material(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, test := range []struct{ fields, key, start string }{
		{``, `^[1-9A-HJ-NP-Za-km-z]{20,24}$`, `^[1-9A-Za-z]{4}$`},
		{`,"byteLength":16,"enabled":true,"recoverable":false`, `^[1-9A-HJ-NP-Za-km-z]{20,24}$`, `^[1-9A-Za-z]{4}$`}, // as SDKs send it
		{`,"prefix":"prod"`, `^prod_[1-9A-HJ-NP-Za-km-z]{20,24}$`, `^prod_[1-9A-Za-z]{4}$`},
		{`,"prefix":"my_app"`, `^my_app_[1-9A-HJ-NP-Za-km-z]{20,24}$`, `^my_app_[1-9A-Za-z]{4}$`},
		{`,"byteLength":255`, `^[1-9A-HJ-NP-Za-km-z]{340,352}$`, `^[1-9A-Za-z]{4}$`},
	} {
		k := s.newKey(f, test.fields)
		require.Regexp(t, test.key, k.key)
		require.Regexp(t, `^key_[a-zA-Z0-9]{16}$`, k.keyID)
		start := s.get("start", "keys.getKey", k.in(`{"keyId":"KEYID"}`))
		require.Regexp(t, test.start, start)
		require.True(t, strings.HasPrefix(k.key, start))
		require.Equal(t, k.keyID, s.get("keyId", "keys.whoami", k.in(`{"key":"SECRET"}`)))
	}
}

// What is left out of an answer, and what is not: docs/contract.md 1.8 and 2.0.
func TestCreateKey_Shows(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, test := range []struct{ fields, want string }{
		{``, `{"enabled":true}`},
		{`,"enabled":false`, `{"enabled":false}`},
		{`,"name":"n","meta":{"a":[1,null,{"b":"<&>"}]},"expires":4102444800000`,
			`{"enabled":true,"name":"n","meta":{"a":[1,null,{"b":"<&>"}]},"expires":4102444800000}`},
		{`,"meta":{}`, `{"enabled":true}`},
		{`,"expires":0`, `{"enabled":true,"expires":0}`},
		{`,"credits":{"remaining":0}`, `{"enabled":true,"credits":{"remaining":0}}`},
		{`,"externalId":"new.one"`, `{"enabled":true,"identity":{"externalId":"new.one"}}`},
		{`,"externalId":"user_1"`, `{"enabled":true,"identity":{"externalId":"user_1","credits":{"remaining":50}}}`},
		{`,"credits":{"remaining":9223372036854775807}`, `{"enabled":true,"credits":{"remaining":9223372036854775807}}`},
	} {
		k := s.newKey(f, test.fields)
		want, got := test.want, s.showKey(k)
		if strings.Contains(want, "9223372036854775807") { // JSONEq compares floats
			require.Contains(t, s.must("keys.getKey", k.in(`{"keyId":"KEYID"}`)), `"remaining":9223372036854775807`)
			continue
		}
		require.JSONEq(t, want, got, test.fields)
	}
}

func TestCreateKey_Refuses(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, fields := range []string{
		`,"prefix":""`, `,"prefix":"a-b"`, `,"prefix":"12345678901234567"`, `,"name":""`, `,"byteLength":15`, `,"byteLength":256`,
		`,"externalId":"a@b"`, `,"externalId":""`, `,"meta":[]`, `,"meta":null`, `,"meta":` + wide(101), `,"expires":-1`,
		`,"expires":4102444800001`, `,"expires":null`, `,"enabled":null`, `,"credits":null`, `,"unheardOf":1`,
	} {
		s.post("keys.createKey", f.in(`{"apiId":"API"`+fields+`}`)).fails(400, invalidInput)
	}
	s.newKey(f, `,"meta":`+wide(100))
	for _, body := range []string{`{}`, `{"apiId":""}`, `{"apiId":"ab"}`, `{"apiId":"a b c"}`} {
		s.post("keys.createKey", body).fails(400, invalidInput)
	}
	s.post("keys.createKey", `{"apiId":"abc"}`).fails(404, apiNotFound)
	re := s.post("keys.createKey", f.in(`{"apiId":"API","recoverable":true}`)).fails(412, "unkey/application/precondition_failed")
	require.Contains(t, re.Error.Detail, "ncryption")
}

// wide is an object with n properties.
func wide(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"p%d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// A key that is refused leaves no identity behind: docs/contract.md 2.3, all or nothing.
func TestCreateKey_IsAllOrNothing(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.post("keys.createKey", f.in(`{"apiId":"API","externalId":"nobody","credits":{"remaining":null,"refill":{"interval":"daily","amount":1}}}`)).
		fails(400, invalidInput)
	s.post("identities.getIdentity", `{"identity":"nobody"}`).fails(404, identityMissing)
}

// keys.getKey: docs/contract.md 2.3.
func TestGetKey(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("keys.getKey", f.in(`{"keyId":"KEYID","decrypt":false}`)) // as SDKs send it
	for _, body := range []string{`{}`, `{"keyId":""}`, `{"keyId":"ab"}`, `{"keyId":"a-b-c"}`, `{"keyId":"abc","x":1}`, `{"keyId":"abc","decrypt":null}`} {
		s.post("keys.getKey", body).fails(400, invalidInput)
	}
	s.post("keys.getKey", `{"keyId":"abc"}`).fails(404, keyNotFound)
	s.grant("nothing").post("keys.getKey", `{"keyId":"abc"}`).fails(404, keyNotFound) // 404 wins: 1.13

	decrypt := f.in(`{"keyId":"KEYID","decrypt":true}`)
	s.post("keys.getKey", decrypt).fails(412, "unkey/application/precondition_failed")
	s.grant("api.*.read_key").post("keys.getKey", decrypt).fails(403, forbidden)
	s.grant("api.*.decrypt_key").post("keys.getKey", decrypt).fails(403, forbidden)
	s.grant("api.*.create_key", "api.other.read_key").post("keys.getKey", f.in(`{"keyId":"KEYID"}`)).fails(403, forbidden)
}

// keys.whoami: docs/contract.md 2.3. It debits nothing and works in every state of the key.
func TestWhoAmI(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"enabled":false,"expires":1,"credits":{"remaining":5}`)
	for range 2 {
		require.JSONEq(t, s.must("keys.getKey", f.in(`{"keyId":"KEYID"}`)), s.must("keys.whoami", f.in(`{"key":"SECRET"}`)))
	}
	require.Contains(t, s.showKey(f), `"remaining":5`)
	for _, body := range []string{`{}`, `{"key":""}`, `{"key":5}`, fmt.Sprintf(`{"key":%q}`, strings.Repeat("x", 513))} {
		s.post("keys.whoami", body).fails(400, invalidInput)
	}
	s.post("keys.whoami", `{"key":"nobody"}`).fails(404, keyNotFound)
}

// keys.updateKey: each field by itself, in its three states. docs/contract.md 1.8 and 2.3.
func TestUpdateKey_ThreeStates(t *testing.T) {
	base := newServer(t)
	const before = `,"name":"n","meta":{"a":1},"expires":4000000000000,"externalId":"user_1","credits":{"remaining":5}`
	const identity = `"identity":{"externalId":"user_1","credits":{"remaining":50}}`
	for _, test := range []struct{ change, want string }{
		{`"enabled":true`, `"name":"n","meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"enabled":false`, `"name":"n","meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"enabled":false,` + identity},
		{`"name":"m"`, `"name":"m","meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"name":null`, `"meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"meta":{"b":2}`, `"name":"n","meta":{"b":2},"expires":4000000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"meta":{}`, `"name":"n","expires":4000000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"meta":null`, `"name":"n","expires":4000000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"expires":4100000000000`, `"name":"n","meta":{"a":1},"expires":4100000000000,"credits":{"remaining":5},"enabled":true,` + identity},
		{`"expires":null`, `"name":"n","meta":{"a":1},"credits":{"remaining":5},"enabled":true,` + identity},
		{`"externalId":null`, `"name":"n","meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"enabled":true`},
		{`"externalId":"user_9"`,
			`"name":"n","meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"enabled":true,"identity":{"externalId":"user_9"}`},
		{`"name":"m","meta":null,"expires":null,"externalId":null,"credits":null,"enabled":false`, `"name":"m","enabled":false`},
	} {
		s := base.on(t).foreign()
		f := s.newKey(s.fixture(), before)
		require.Equal(t, "{}", s.must("keys.updateKey", f.in(`{"keyId":"KEYID",`+test.change+`}`)))
		require.JSONEq(t, fmt.Sprintf(`{%s,"updatedAt":%d}`, test.want, int64(startTime)), s.showKey(f), test.change)
	}
}

func TestUpdateKey_Refuses(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, change := range []string{
		`"name":""`, `"externalId":""`, `"externalId":"a b"`, `"meta":[]`, `"expires":-1`, `"enabled":null`, `"credits":5`, `"unheardOf":1`,
	} {
		s.post("keys.updateKey", f.in(`{"keyId":"KEYID",`+change+`}`)).fails(400, invalidInput)
	}
	s.post("keys.updateKey", `{"name":"x"}`).fails(400, invalidInput)
	s.post("keys.updateKey", `{"keyId":"abc"}`).fails(404, keyNotFound)
	s.grant("nothing").post("keys.updateKey", `{"keyId":"abc"}`).fails(404, keyNotFound)
}

// Two keys that name one new externalId share one identity.
func TestUpdateKey_LinksOneIdentity(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	ids := map[string]bool{}
	for range 3 {
		k := s.newKey(f, ``)
		s.must("keys.updateKey", k.in(`{"keyId":"KEYID","externalId":"shared"}`))
		var data struct{ Identity struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(s.must("keys.getKey", k.in(`{"keyId":"KEYID"}`))), &data))
		ids[data.Identity.ID] = true
	}
	require.Len(t, ids, 1)
}

// keys.deleteKey: docs/contract.md 2.3. A deleted key does not exist for any endpoint.
func TestDeleteKey(t *testing.T) {
	base := newServer(t)
	for _, permanent := range []string{"false", "true"} {
		s := base.on(t).foreign()
		f := s.fixture()
		remove := f.in(`{"keyId":"KEYID","permanent":` + permanent + `}`)
		require.Equal(t, "{}", s.must("keys.deleteKey", remove))
		s.post("keys.deleteKey", remove).fails(404, keyNotFound)
		s.post("keys.deleteKey", f.in(`{"keyId":"KEYID","permanent":true}`)).fails(404, keyNotFound)
		s.post("keys.getKey", f.in(`{"keyId":"KEYID"}`)).fails(404, keyNotFound)
		s.post("keys.whoami", f.in(`{"key":"SECRET"}`)).fails(404, keyNotFound)
		s.post("keys.updateKey", f.in(`{"keyId":"KEYID"}`)).fails(404, keyNotFound)
		s.post("keys.updateCredits", f.in(`{"keyId":"KEYID","operation":"set"}`)).fails(404, keyNotFound)
		require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.must("keys.verifyKey", f.in(`{"key":"SECRET"}`)))
	}
	s := newServer(t)
	for _, body := range []string{`{}`, `{"keyId":"ab"}`, `{"keyId":"abc","permanent":null}`, `{"keyId":"abc","x":1}`} {
		s.post("keys.deleteKey", body).fails(400, invalidInput)
	}
}
