package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRows_VerifyKey(t *testing.T) {
	// verdict tells the story of a key with these fields that is verified once.
	verdict := func(row, key, ask string, want ...string) story {
		return story{row, func(t *testing.T, s *server, f fixture) {
			data := s.verify(s.newKey(f, key), ask)
			for _, part := range want {
				require.Contains(t, data, part)
			}
		}}
	}
	const identity, limited = `,"externalId":"user_1"`, `,"credits":{"remaining":`
	pool := func(t *testing.T, s *server, f fixture, remaining, ask string) string {
		s.must("identities.updateCredits", `{"identity":"user_1","operation":"set","value":`+remaining+`}`)
		return s.verify(s.newKey(f, identity), ask)
	}
	codes := func(s *server, f fixture, ask string, times int) (list []string) {
		for range times {
			list = append(list, s.verdict(f, ask).Code)
		}
		return list
	}
	then := func(times int, last string) (list []string) {
		for range times - 1 {
			list = append(list, "VALID")
		}
		return append(list, last)
	}
	tell(t, []story{
		verdict("row 108", ``, ``, `"valid":true`, `"VALID"`),
		{"row 109", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, fmt.Sprintf(`,"expires":%d`, s.now+10))
			require.Equal(t, "VALID", s.verdict(k, ``).Code)
			s.now += 11
			s.settle()
			require.Equal(t, "EXPIRED", s.verdict(k, ``).Code)
		}},
		verdict("row 110", `,"enabled":false`, ``, `"valid":false`, `"DISABLED"`),
		verdict("row 112", limited+`0}`, ``, `"USAGE_EXCEEDED"`, `"credits":0`),
		verdict("row 113", limited+`5}`, `,"credits":{"cost":5}`, `"VALID"`, `"credits":0`),
		verdict("row 114", limited+`5}`, `,"credits":{"cost":15}`, `"USAGE_EXCEEDED"`, `"credits":5`),
		verdict("row 116", limited+`0}`, `,"credits":{"cost":0}`, `"VALID"`, `"credits":0`),
		{"row 117", func(t *testing.T, s *server, f fixture) {
			data := pool(t, s, f, "5", ``)
			require.Contains(t, data, `"VALID"`)
			require.Contains(t, data, `"credits":4`)
		}},
		{"row 118", func(t *testing.T, s *server, f fixture) {
			data := pool(t, s, f, "0", ``)
			require.Contains(t, data, `"USAGE_EXCEEDED"`)
			require.Contains(t, data, `"credits":0`)
		}},
		{"row 120", func(t *testing.T, s *server, f fixture) {
			data := pool(t, s, f, "0", `,"credits":{"cost":0}`)
			require.Contains(t, data, `"VALID"`)
			require.Contains(t, data, `"credits":0`)
		}},
		{"row 121", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, limited+`5,"refill":{"interval":"daily","amount":100}}`)
			require.Contains(t, s.verify(k, ``), `"credits":4`)
			require.Contains(t, s.verify(k, ``), `"credits":3`)
		}},
		verdict("row 124", `,"permissions":["docs.read"]`, `,"permissions":"docs.write"`, `"INSUFFICIENT_PERMISSIONS"`),
		verdict("row 125", `,"permissions":["api.read","api.write"]`, `,"permissions":"api.read AND api.write"`, `"VALID"`),
		verdict("row 126", `,"permissions":["api.*"]`, `,"permissions":"api.* OR api.edit"`, `"VALID"`),
		{"row 128", func(t *testing.T, s *server, f fixture) {
			var held []string
			for i := range 25 {
				held = append(held, fmt.Sprintf("p.%d", i))
			}
			query := "(" + strings.Join(held[:12], " AND ") + ") AND (" + strings.Join(held[12:24], " OR ") + " OR (" + held[24] + " AND p.none))"
			k := s.newKey(f, `,"permissions":["`+strings.Join(held, `","`)+`"]`)
			require.Equal(t, "VALID", s.verdict(k, `,"permissions":"`+query+`"`).Code)
		}},
		{"row 129", func(t *testing.T, s *server, f fixture) {
			for query, position := range map[string]string{
				"permission_1 AND": "", "(permission_1 AND permission_2": "position 30", "permission_1 AND ()": "position 18", "AND permission_1": "position 0",
			} {
				re := s.post("keys.verifyKey", f.in(`{"key":"SECRET","permissions":"`+query+`"}`)).fails(400, querySyntax)
				require.Contains(t, re.Error.Detail, position)
				require.Empty(t, *re.Error.Errors)
			}
		}},
		{"row 130", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, "VALID", s.verdict(f, `,"tags":["a=b&c/d?e","🎉","  "`+strings.Repeat(`,"x"`, 17)+`]`).Code)
		}},
		{"row 132", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.verifyKey", f.in(`{"key":"SECRET","credits":{"cost":-1}}`),
				f.in(`{"key":"SECRET","ratelimits":[{"name":"abc","cost":-1}]}`), `{}`)
		}},
		{"row 133", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, then(2, "RATE_LIMITED"), codes(s, s.newKey(f, limits("calls 1/60000+")), ``, 2))
		}},
		{"row 134", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, then(2, "RATE_LIMITED"), codes(s, s.newKey(f, limits("calls 1/60000")), `,"ratelimits":[{"name":"calls"}]`, 2))
		}},
		{"row 136", func(t *testing.T, s *server, f fixture) {
			v := s.verdict(s.newKey(f, ``), `,"ratelimits":[{"name":"own","limit":10,"duration":60000,"cost":3}]`)
			require.Equal(t, "VALID", v.Code)
			require.Equal(t, int64(7), *v.item(t, "own").Remaining)
			require.False(t, *v.item(t, "own").AutoApply)
		}},
		{"row 137", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateIdentity", `{"identity":"user_1"`+limits("calls 2/60000+")+`}`)
			one, two := s.newKey(f, identity), s.newKey(f, identity)
			require.Equal(t, []string{"VALID", "VALID", "RATE_LIMITED"}, []string{s.verdict(one, ``).Code, s.verdict(two, ``).Code, s.verdict(one, ``).Code})
		}},
		{"row 138", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateIdentity", `{"identity":"user_1"`+limits("calls 1/60000+")+`}`)
			k := s.newKey(f, identity+limits("calls 3/60000+"))
			require.Equal(t, then(4, "RATE_LIMITED"), codes(s, k, ``, 4))
		}},
		{"row 140", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, limits("calls 1/60000+"))
			s.verify(k, ``)
			item := s.verdict(k, ``).item(t, "calls")
			require.True(t, *item.Exceeded)
			require.Zero(t, *item.Remaining)
		}},
		{"row 141", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, limits("small 3/60000+", "large 10/60000+"))
			require.Equal(t, then(3, "VALID"), codes(s, k, ``, 3))
			v := s.verdict(k, ``)
			require.Equal(t, "RATE_LIMITED", v.Code)
			require.Equal(t, int64(7), *v.item(t, "large").Remaining)
		}},
		{"row 142", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, limits("minute 12/60000+", "month 200/2592000000+"))
			require.Equal(t, then(12, "VALID"), codes(s, k, ``, 12))
			v := s.verdict(k, ``)
			require.Equal(t, "RATE_LIMITED", v.Code)
			require.Equal(t, int64(188), *v.item(t, "month").Remaining)
		}},
		{"row 144", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, ``)
			linked := s.post("keys.verifyKey", f.in(`{"key":"SECRET","ratelimits":[{"name":"none"}]}`)).fails(412, precondition)
			alone := s.post("keys.verifyKey", k.in(`{"key":"SECRET","ratelimits":[{"name":"none"}]}`)).fails(412, precondition)
			for _, part := range []string{f.keyID, f.identityID, "user_1"} {
				require.Contains(t, linked.Error.Detail, part)
			}
			require.Contains(t, alone.Error.Detail, k.keyID)
			require.NotContains(t, alone.Error.Detail, "external id")
		}},
		{"row 145", func(_ *testing.T, s *server, f fixture) {
			s.refuses(412, precondition, "keys.verifyKey", f.in(`{"key":"SECRET","ratelimits":[{"name":"none","cost":2}]}`))
		}},
		{"row 146", func(t *testing.T, s *server, f fixture) {
			unknown, foreign := s.post("keys.verifyKey", `{"key":"nothing"}`), s.foreign().post("keys.verifyKey", f.in(`{"key":"SECRET"}`))
			require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, unknown.ok())
			s.must("keys.deleteKey", f.in(`{"keyId":"KEYID"}`))
			same(t, unknown, foreign, s.post("keys.verifyKey", f.in(`{"key":"SECRET"}`)))
		}},
		{"row 148", func(t *testing.T, s *server, f fixture) {
			for _, held := range []string{"api.*.verify_key", f.in("api.API.verify_key")} {
				require.Contains(t, s.grant(held).must("keys.verifyKey", f.in(`{"key":"SECRET"}`)), `"VALID"`)
			}
		}},
		{"row 149", func(t *testing.T, s *server, f fixture) {
			s.must("permissions.createRole", `{"name":"two","permissions":["a.one","a.two"]}`)
			s.must("identities.createIdentity", `{"externalId":"meta","meta":{"plan":"pro"}}`)
			k := s.newKey(f, `,"name":"full","externalId":"meta","roles":["two"],"permissions":["a.three"]`)
			data := s.post("keys.verifyKey", k.in(`{"key":"SECRET"}`)).fields()
			require.Equal(t, "full", data["name"])
			require.Equal(t, []any{"two"}, data["roles"])
			require.ElementsMatch(t, []any{"a.one", "a.two", "a.three"}, data["permissions"])
			identity := data["identity"].(map[string]any)
			require.NotEmpty(t, identity["id"])
			delete(identity, "id")
			require.Equal(t, map[string]any{"externalId": "meta", "meta": map[string]any{"plan": "pro"}}, identity)
		}},
	})
}
