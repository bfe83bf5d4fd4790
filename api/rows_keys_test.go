package api_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var regexpKeyID = regexp.MustCompile(`key_[a-zA-Z0-9]{16}`)

func TestRows_Keys(t *testing.T) {
	tell(t, []story{
		{"row 44", func(t *testing.T, s *server, f fixture) { require.Regexp(t, `^p_`, s.newKey(f, `,"prefix":"p"`).key) }},
		{"row 46", func(t *testing.T, s *server, f fixture) {
			require.Regexp(t, `^[1-9A-HJ-NP-Za-km-z]{20,24}$`, s.newKey(f, ``).key)
		}},
		{"row 48", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.createKey", `{}`, `{"apiId":""}`, `{"apiId":"ab"}`)
		}},
		{"row 49", func(t *testing.T, s *server, f fixture) {
			require.NotContains(t, s.showKey(s.newKey(f, `,"credits":{"remaining":null}`)), "credits")
		}},
		{"row 50", func(t *testing.T, s *server, f fixture) {
			re := s.post("keys.createKey", f.in(`{"apiId":"API","credits":{"remaining":null,"refill":{"interval":"daily","amount":1}}}`)).fails(400, invalidInput)
			require.Contains(t, re.Error.Detail, "credits.remaining")
		}},
		{"row 52", func(_ *testing.T, s *server, f fixture) {
			s.grant("api.*.create_key").refuses(404, apiNotFound, "keys.createKey", f.in(`{"apiId":"API","recoverable":true}`))
		}},
		{"row 53", func(_ *testing.T, s *server, f fixture) {
			s.refuses(412, precondition, "keys.createKey", f.in(`{"apiId":"API","recoverable":true}`))
		}},
		{"row 54", func(t *testing.T, s *server, f fixture) {
			unknown := s.post("keys.createKey", `{"apiId":"api_nothing"}`).fails(404, apiNotFound)
			foreign := s.foreign().post("keys.createKey", f.in(`{"apiId":"API"}`))
			s.must("apis.deleteApi", f.in(`{"apiId":"API"}`))
			same(t, unknown, foreign, s.post("keys.createKey", f.in(`{"apiId":"API"}`)))
		}},
		{"row 56", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, `,"permissions":["docs.read","brand.new"],"roles":["editor"]`)
			require.Contains(t, s.showKey(k), `"permissions":["brand.new","docs.read"],"roles":["editor"]`)
			s.must("permissions.getPermission", `{"permission":"brand.new"}`)
		}},
		{"row 57", func(t *testing.T, s *server, f fixture) {
			require.Contains(t, s.showKey(s.newKey(f, `,"enabled":false`)), `"enabled":false`)
		}},
		{"row 58", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, `,"credits":{"remaining":50,"refill":{"interval":"daily","amount":100}}`)
			require.Contains(t, s.must("keys.getKey", k.in(`{"keyId":"KEYID"}`)), `"credits":{"remaining":50,"refill":{"interval":"daily","amount":100}}`)
		}},
		{"row 60", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.getKey", `{"keyId":""}`, `{"keyId":"key-1 ü"}`)
		}},
		{"row 61", func(_ *testing.T, s *server, f fixture) {
			s.refuses(404, keyNotFound, "keys.getKey", `{"keyId":"key_nothing"}`)
			s.foreign().refuses(404, keyNotFound, "keys.getKey", f.in(`{"keyId":"KEYID"}`))
		}},
		{"row 62", func(_ *testing.T, s *server, f fixture) {
			for _, held := range []string{"none", "api.*.create_key", "api.api_other.read_key", "api.*.decrypt_key"} {
				s.grant(held).refuses(403, forbidden, "keys.getKey", f.in(`{"keyId":"KEYID"}`))
			}
			s.grant("api.*.read_key").refuses(403, forbidden, "keys.getKey", f.in(`{"keyId":"KEYID","decrypt":true}`))
		}},
		{"row 64", func(t *testing.T, s *server, f fixture) {
			all := []*reply{s.post("keys.whoami", `{"key":"nothing"}`).fails(404, keyNotFound), s.foreign().post("keys.whoami", f.in(`{"key":"SECRET"}`))}
			for _, held := range []string{"none", "api.*.create_key", "api.api_other.read_key"} {
				all = append(all, s.grant(held).post("keys.whoami", f.in(`{"key":"SECRET"}`)))
			}
			same(t, all...)
		}},
		{"row 65", func(_ *testing.T, s *server, f fixture) { s.refuses(400, invalidInput, "keys.whoami", `{"key":""}`) }},
		{"row 66", func(_ *testing.T, s *server, f fixture) {
			s.must("keys.deleteKey", f.in(`{"keyId":"KEYID"}`))
			s.refuses(404, keyNotFound, "keys.deleteKey", f.in(`{"keyId":"KEYID"}`))
		}},
		{"row 68", func(_ *testing.T, s *server, f fixture) {
			s.grant("api.api_other.delete_key").refuses(403, forbidden, "keys.deleteKey", f.in(`{"keyId":"KEYID"}`))
			s.foreign().refuses(404, keyNotFound, "keys.deleteKey", f.in(`{"keyId":"KEYID"}`))
		}},
		{"row 70", func(t *testing.T, s *server, f fixture) {
			const wait = 90_000
			fresh := s.get("keyId", "keys.rerollKey", f.in(fmt.Sprintf(`{"keyId":"KEYID","expiration":%d}`, wait)))
			expires := s.post("keys.getKey", f.in(`{"keyId":"KEYID"}`)).fields()["expires"]
			require.GreaterOrEqual(t, expires, float64(s.now+wait))
			require.LessOrEqual(t, expires, float64(s.now+wait+60_000))
			require.NotContains(t, s.must("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, fresh)), "expires")
		}},
		{"row 72", func(_ *testing.T, s *server, f fixture) {
			for _, held := range []string{"api.*.read_key", "api.api_other.create_key"} {
				s.grant(held).refuses(403, forbidden, "keys.rerollKey", f.in(`{"keyId":"KEYID","expiration":0}`))
			}
		}},
		{"row 73", func(_ *testing.T, s *server, f fixture) {
			s.refuses(404, keyNotFound, "keys.rerollKey", `{"keyId":"key_nothing","expiration":0}`)
			s.foreign().refuses(404, keyNotFound, "keys.rerollKey", f.in(`{"keyId":"KEYID","expiration":0}`))
		}},
		{"row 74", func(t *testing.T, s *server, f fixture) {
			data := s.must("keys.migrateKeys", f.in(fmt.Sprintf(`{"migrationId":"mig","apiId":"API","keys":[{"hash":%q,"externalId":"new","enabled":false,
				"roles":["fresh"],"permissions":["brand.new"]%s}]}`, base64Of("row 74"), limits("calls 5/60000+"))))
			require.Contains(t, data, `"failed":[]`)
			id := regexpKeyID.FindString(data)
			shown := s.must("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, id))
			for _, part := range []string{`"start":""`, `"enabled":false`, `"externalId":"new"`, `["brand.new"]`, `["fresh"]`, `"name":"calls"`} {
				require.Contains(t, shown, part)
			}
		}},
		{"row 76", func(t *testing.T, s *server, f fixture) {
			body := f.in(fmt.Sprintf(`{"migrationId":"mig","apiId":"API","keys":[{"hash":%q}]}`, base64Of("row 76")))
			s.must("keys.migrateKeys", body)
			require.JSONEq(t, fmt.Sprintf(`{"migrated":[],"failed":[%[1]q],"failures":[{"hash":%[1]q,"reason":"in_use"}]}`, base64Of("row 76")),
				s.must("keys.migrateKeys", body))
		}},
		{"row 77", func(_ *testing.T, s *server, f fixture) {
			s.refuses(404, migrationNotFound, "keys.migrateKeys", f.in(`{"migrationId":"none","apiId":"API","keys":[{"hash":"abc"}]}`))
		}},
		{"row 78", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.migrateKeys", f.in(`{"migrationId":"mig","apiId":"API","keys":[]}`),
				f.in(`{"migrationId":"mig","apiId":"API","keys":[{"hash":""}]}`), f.in(`{"migrationId":"","apiId":"API","keys":[{"hash":"abc"}]}`),
				`{"migrationId":"mig","apiId":"","keys":[{"hash":"abc"}]}`)
		}},
	})
}

func TestRows_UpdateKey(t *testing.T) {
	refill := func(interval string, amount, day int) string {
		if day == 0 {
			return fmt.Sprintf(`"refill":{"interval":%q,"amount":%d}`, interval, amount)
		}
		return fmt.Sprintf(`"refill":{"interval":%q,"amount":%d,"refillDay":%d}`, interval, amount, day)
	}
	update := func(t *testing.T, s *server, f fixture, before, change string) (credits string) {
		k := s.newKey(f, `,"credits":`+before)
		s.must("keys.updateKey", k.in(`{"keyId":"KEYID",`+change+`}`))
		_, credits, _ = strings.Cut(s.must("keys.getKey", k.in(`{"keyId":"KEYID"}`)), `"credits":`)
		return credits
	}
	three := func(field, value, other string) func(*testing.T, *server, fixture) {
		return func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, ``)
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","`+field+`":`+value+`}`))
			require.Contains(t, s.showKey(k), `"`+field+`":`+value)
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID",`+other+`}`))
			require.Contains(t, s.showKey(k), `"`+field+`":`+value)
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","`+field+`":null}`))
			require.NotContains(t, s.showKey(k), `"`+field+`":`)
		}
	}
	set := func(value string) string { return `{"keyId":"KEYID","operation":"set","value":` + value + `}` }
	tell(t, []story{
		{"row 80", three("name", `"renamed"`, `"enabled":true`)},
		{"row 81", func(t *testing.T, s *server, f fixture) {
			three("meta", `{"a":1}`, `"enabled":true`)(t, s, f)
			k := s.newKey(f, `,"meta":{"a":1}`)
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","meta":{}}`))
			require.NotContains(t, s.showKey(k), `"meta"`, "an empty object is left out: 1.8")
		}},
		{"row 82", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, ``)
			expires := func() any { return s.post("keys.getKey", k.in(`{"keyId":"KEYID"}`)).fields()["expires"] }
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","expires":4000000000000}`))
			require.Equal(t, 4e12, expires())
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","name":"x"}`))
			require.Equal(t, 4e12, expires())
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","expires":null}`))
			require.Nil(t, expires())
		}},
		{"row 84", func(t *testing.T, s *server, f fixture) {
			require.Empty(t, update(t, s, f, `{"remaining":100,`+refill("monthly", 50, 15)+`}`, `"credits":null`))
		}},
		{"row 85", func(t *testing.T, s *server, f fixture) {
			require.Empty(t, update(t, s, f, `{"remaining":200,`+refill("monthly", 75, 10)+`}`, `"credits":{"remaining":null}`))
		}},
		{"row 86", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, `{"remaining":300}}`, update(t, s, f, `{"remaining":300,`+refill("monthly", 100, 25)+`}`, `"credits":{"refill":null}`))
		}},
		{"row 88", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, `{"remaining":999,`+refill("monthly", 200, 12)+`}}`,
				update(t, s, f, `{"remaining":100,`+refill("monthly", 200, 12)+`}`, `"credits":{"remaining":999}`))
		}},
		{"row 89", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, `{"remaining":777,`+refill("monthly", 111, 28)+`}}`,
				update(t, s, f, `{"remaining":777,`+refill("monthly", 111, 28)+`}`, `"enabled":false`))
		}},
		{"row 90", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, `{"remaining":50,`+refill("daily", 25, 0)+`}}`, update(t, s, f, `{"remaining":50}`, `"credits":{`+refill("daily", 25, 0)+`}`))
		}},
		{"row 92", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.updateKey", f.in(`{"keyId":"KEYID","credits":{`+refill("daily", 25, 3)+`}}`))
		}},
		{"row 93", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, `,"name":"old","meta":{"a":1},"expires":4000000000000,"credits":{"remaining":5},"roles":["editor"]`)
			s.must("keys.updateKey", k.in(`{"keyId":"KEYID","name":"new","meta":null,"credits":{"remaining":7},"enabled":false,"roles":[],"permissions":["docs.read"]}`))
			shown := s.post("keys.getKey", k.in(`{"keyId":"KEYID"}`)).fields()
			require.Equal(t, "new", shown["name"])
			require.NotContains(t, shown, "meta")
			require.Equal(t, 4e12, shown["expires"], "was not mentioned")
			require.Equal(t, map[string]any{"remaining": 7.0}, shown["credits"])
			require.Equal(t, false, shown["enabled"])
			require.NotContains(t, shown, "roles")
			require.Equal(t, []any{"docs.read"}, shown["permissions"])
		}},
		{"row 94", func(t *testing.T, s *server, f fixture) {
			s.must("keys.updateKey", f.in(`{"keyId":"KEYID"`+limits("calls 5/60000")+`}`))
			s.must("keys.updateKey", f.in(`{"keyId":"KEYID"`+limits("calls 8/60000")+`}`))
			shown := s.post("keys.getKey", f.in(`{"keyId":"KEYID"}`)).fields()["ratelimits"].([]any)
			require.Len(t, shown, 1)
			require.Equal(t, 8.0, shown[0].(map[string]any)["limit"])
		}},
		{"row 96", func(t *testing.T, s *server, f fixture) {
			keys, codes := make([]fixture, 5), make([]int, 5)
			for i := range keys {
				keys[i] = s.newKey(f, ``)
			}
			var group sync.WaitGroup
			for i, k := range keys {
				group.Go(func() { codes[i] = s.post("keys.updateKey", k.in(`{"keyId":"KEYID","externalId":"shared"}`)).Code })
			}
			group.Wait()
			id := s.get("id", "identities.getIdentity", `{"identity":"shared"}`)
			for i, k := range keys {
				require.Equal(t, 200, codes[i])
				require.Contains(t, s.must("keys.getKey", k.in(`{"keyId":"KEYID"}`)), id)
			}
		}},
		{"row 97", func(_ *testing.T, s *server, f fixture) {
			body := f.in(`{"keyId":"KEYID","name":"x"}`)
			s.grant("none").refuses(403, forbidden, "keys.updateKey", body)
			s.foreign().refuses(404, keyNotFound, "keys.updateKey", body)
			s.must("keys.deleteKey", f.in(`{"keyId":"KEYID"}`))
			s.refuses(404, keyNotFound, "keys.updateKey", body, `{"keyId":"key_nothing","name":"x"}`)
		}},
		{"row 98", func(_ *testing.T, s *server, f fixture) {
			for _, held := range []string{"api.*.update_key", f.in("api.API.update_key")} {
				s.grant(held).must("keys.updateKey", f.in(`{"keyId":"KEYID","name":"x"}`))
			}
		}},
		{"row 100", func(t *testing.T, s *server, f fixture) {
			for _, step := range []struct{ operation, value, want string }{
				{"set", "30", "30"}, {"increment", "10", "40"}, {"decrement", "15", "25"}, {"decrement", "26", "0"},
			} {
				body := f.in(`{"keyId":"KEYID","operation":"` + step.operation + `","value":` + step.value + `}`)
				require.JSONEq(t, `{"remaining":`+step.want+`}`, s.must("keys.updateCredits", body))
			}
		}},
		{"row 101", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.updateCredits", f.in(`{"keyId":"KEYID","operation":"increment"}`), f.in(`{"keyId":"KEYID","operation":"decrement"}`))
		}},
		{"row 102", func(_ *testing.T, s *server, f fixture) {
			k := s.newKey(f, ``)
			s.refuses(400, invalidInput, "keys.updateCredits", k.in(`{"keyId":"KEYID","operation":"increment","value":1}`),
				k.in(`{"keyId":"KEYID","operation":"decrement","value":1}`))
		}},
		{"row 104", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, `,"credits":{"remaining":9}`)
			s.verify(k, ``)
			s.verify(k, ``)
			s.must("keys.updateCredits", k.in(set("100")))
			require.Contains(t, s.verify(k, ``), `"credits":99`)
		}},
		{"row 105", func(_ *testing.T, s *server, f fixture) {
			for _, held := range []string{"none", "api.*.create_key", "api.api_other.update_key"} {
				s.grant(held).refuses(403, forbidden, "keys.updateCredits", f.in(set("1")))
			}
			s.foreign().refuses(404, keyNotFound, "keys.updateCredits", f.in(set("1")))
			s.refuses(404, keyNotFound, "keys.updateCredits", `{"keyId":"key_nothing","operation":"set","value":1}`)
		}},
		{"row 106", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, `,"credits":{"remaining":100,`+refill("monthly", 50, 15)+`}`)
			require.JSONEq(t, `{"remaining":7,`+refill("monthly", 50, 15)+`}`, s.must("keys.updateCredits", k.in(set("7"))))
		}},
	})
}
