package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRows_Identities(t *testing.T) {
	const monthly, daily = `"refill":{"interval":"monthly","amount":50,"refillDay":15}`, `"refill":{"interval":"daily","amount":25}`
	// of makes an identity with these credits, and shows its credits.
	of := func(s *server, credits string) (show func() any) {
		s.must("identities.createIdentity", `{"externalId":"other"`+credits+`}`)
		return func() any { return s.post("identities.getIdentity", `{"identity":"other"}`).fields()["credits"] }
	}
	// update tells what updateIdentity answers and getIdentity then shows of credits.
	update := func(row, before, change string, want any) story {
		return story{row, func(t *testing.T, s *server, f fixture) {
			show := of(s, `,"credits":`+before)
			answer := s.post("identities.updateIdentity", `{"identity":"other",`+change+`}`).fields()
			require.Equal(t, want, answer["credits"])
			require.Equal(t, want, show())
		}}
	}
	credits := func(operation, value string) string {
		return `{"identity":"other","operation":"` + operation + `","value":` + value + `}`
	}
	refill := func(interval string, amount, day float64) map[string]any {
		m := map[string]any{"interval": interval, "amount": amount}
		if day > 0 {
			m["refillDay"] = day
		}
		return m
	}
	names := func(re *reply) (list []string) {
		for _, r := range re.fields()["ratelimits"].([]any) {
			r := r.(map[string]any)
			list = append(list, fmt.Sprint(r["name"], " ", r["limit"]))
		}
		return list
	}
	tell(t, []story{
		{"row 152", func(_ *testing.T, s *server, f fixture) { s.must("identities.createIdentity", `{"externalId":"x"}`) }},
		{"row 153", func(t *testing.T, s *server, f fixture) {
			for _, body := range []string{`{}`, `{"externalId":""}`} {
				require.NotEmpty(t, *s.post("identities.createIdentity", body).fails(400, invalidInput).Error.Errors)
			}
		}},
		{"row 154", func(_ *testing.T, s *server, f fixture) {
			var many []string
			for i := range 101 {
				many = append(many, fmt.Sprintf(`"k%d":1`, i))
			}
			s.refuses(400, invalidInput, "identities.createIdentity", `{"externalId":"x","meta":{`+strings.Join(many, ",")+`}}`,
				`{"externalId":"x","meta":{"a":"`+strings.Repeat("x", 1<<20)+`"}}`)
		}},
		{"row 156", func(_ *testing.T, s *server, f fixture) {
			s.refuses(409, "unkey/data/identity_already_exists", "identities.createIdentity", `{"externalId":"user_1"}`)
		}},
		{"row 157", func(t *testing.T, s *server, f fixture) {
			const meta = `{"s":"x","n":1.5,"i":-3,"b":true,"z":null,"l":[1,"a",{"d":[]}],"o":{"p":{"q":{}}}}`
			s.must("identities.createIdentity", `{"externalId":"x","meta":`+meta+`}`)
			require.Contains(t, s.must("identities.getIdentity", `{"identity":"x"}`), `"meta":`+meta)
		}},
		{"row 158", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, map[string]any{"remaining": 500.0}, of(s, `,"credits":{"remaining":500}`)())
		}},
		{"row 160", func(t *testing.T, s *server, f fixture) {
			require.Nil(t, of(s, `,"credits":{"remaining":null}`)())
			s.post("identities.deleteIdentity", `{"identity":"other"}`)
			require.Nil(t, of(s, ``)())
		}},
		{"row 161", func(_ *testing.T, s *server, f fixture) {
			for _, wrong := range []string{`{"remaining":-1}`, `{"remaining":1,"refill":{"interval":"monthly","amount":1,"refillDay":0}}`,
				`{"remaining":1,"refill":{"interval":"monthly","amount":1,"refillDay":32}}`} {
				s.refuses(400, invalidInput, "identities.createIdentity", `{"externalId":"x","credits":`+wrong+`}`)
			}
		}},
		{"row 162", func(t *testing.T, s *server, f fixture) { // taken here: D-5
			require.Equal(t, map[string]any{"remaining": 2147483648.0}, of(s, `,"credits":{"remaining":2147483648}`)())
		}},
		{"row 164", func(t *testing.T, s *server, f fixture) {
			of(s, ``)
			shown := s.post("identities.getIdentity", `{"identity":"other"}`).fields()
			require.NotContains(t, shown, "meta")
			require.NotContains(t, shown, "ratelimits")
		}},
		{"row 165", func(_ *testing.T, s *server, f fixture) {
			s.post("identities.deleteIdentity", `{"identity":"user_1"}`)
			s.refuses(404, identityMissing, "identities.getIdentity", `{"identity":"nobody"}`, `{"identity":"user_1"}`)
		}},
		{"row 166", func(_ *testing.T, s *server, f fixture) {
			s.grant("identity.user_1.read_identity").refuses(403, forbidden, "identities.getIdentity", `{"identity":"user_1"}`)
		}},
		{"row 168", func(t *testing.T, s *server, f fixture) {
			for _, name := range []string{"Anna.Berg", "a_bXb", "aXbXb"} {
				s.must("identities.createIdentity", fmt.Sprintf(`{"externalId":%q}`, name))
			}
			list := func(search string) []string {
				return s.post("identities.listIdentities", fmt.Sprintf(`{"search":%q}`, search)).list("externalId")
			}
			require.Equal(t, []string{"Anna.Berg"}, list("na.be"))
			require.Equal(t, []string{"user_1"}, list(f.identityID[5:]))
			require.Equal(t, []string{"Anna.Berg"}, list("ANNA"))
			require.Equal(t, []string{}, list("b_b"), "the underscore stands for itself")
			require.Len(t, list("   "), 4)
		}},
		{"row 169", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, "[]", s.foreign().must("identities.listIdentities", `{}`))
		}},
		{"row 170", func(_ *testing.T, s *server, f fixture) {
			s.grant("none").refuses(403, forbidden, "identities.listIdentities", `{}`)
		}},
		{"row 172", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateIdentity", `{"identity":"user_1"`+limits("changed 1/60000", "dropped 2/60000")+`}`)
			re := s.post("identities.updateIdentity", `{"identity":"user_1"`+limits("changed 5/60000", "added 3/60000")+`}`)
			require.ElementsMatch(t, []string{"changed 5", "added 3"}, names(re))
			require.ElementsMatch(t, []string{"changed 5", "added 3"}, names(s.post("identities.getIdentity", `{"identity":"user_1"}`)))
		}},
		{"row 173", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateIdentity", `{"identity":"user_1","meta":{"a":1}`+limits("calls 1/60000")+`}`)
			shown := s.post("identities.updateIdentity", `{"identity":"user_1","meta":{},"ratelimits":[]}`).fields()
			require.NotContains(t, shown, "meta")
			require.NotContains(t, shown, "ratelimits")
		}},
		{"row 174", func(t *testing.T, s *server, f fixture) {
			re := s.post("identities.updateIdentity", `{"identity":"user_1"`+limits("twice 1/60000", "twice 2/60000")+`}`).fails(400, invalidInput)
			require.Contains(t, re.Error.Detail, "twice")
		}},
		{"row 176", func(_ *testing.T, s *server, f fixture) {
			s.refuses(404, identityMissing, "identities.updateIdentity", `{"identity":"nobody","meta":{}}`)
		}},
		update("row 177", `{"remaining":null}`, `"credits":{"remaining":100}`, map[string]any{"remaining": 100.0}),
		update("row 178", `{"remaining":50,`+monthly+`}`, `"credits":{"remaining":200}`,
			map[string]any{"remaining": 200.0, "refill": refill("monthly", 50, 15)}),
		update("row 180", `{"remaining":100,`+monthly+`}`, `"credits":{"refill":null}`, map[string]any{"remaining": 100.0}),
		{"row 181", func(t *testing.T, s *server, f fixture) {
			for _, clear := range []string{`null`, `{"remaining":null}`} {
				s.must("identities.updateIdentity", `{"identity":"user_1","credits":{"remaining":5}}`)
				require.NotContains(t, s.must("identities.updateIdentity", `{"identity":"user_1","credits":`+clear+`}`), "credits")
			}
		}},
		update("row 182", `{"remaining":777,`+monthly+`}`, `"meta":{"a":1}`, map[string]any{"remaining": 777.0, "refill": refill("monthly", 50, 15)}),
		{"row 184", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "identities.updateIdentity",
				`{"identity":"user_1","credits":{"refill":{"interval":"monthly","amount":1,"refillDay":32}}}`)
		}},
		update("row 185", `{"remaining":100,`+monthly+`}`, `"credits":{"remaining":500,`+daily+`}`,
			map[string]any{"remaining": 500.0, "refill": refill("daily", 25, 0)}),
		{"row 186", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateIdentity", `{"identity":"user_1","credits":null`+limits("calls 1/60000+")+`}`)
			k := s.newKey(f, `,"externalId":"user_1"`)
			require.Equal(t, "VALID", s.verdict(k, ``).Code)
			require.Equal(t, "RATE_LIMITED", s.verdict(k, ``).Code)
			require.Equal(t, 200, s.post("identities.deleteIdentity", `{"identity":"user_1"}`).Code)
			s.refuses(404, identityMissing, "identities.getIdentity", `{"identity":"user_1"}`)
			require.Equal(t, "VALID", s.verdict(k, ``).Code)
		}},
		{"row 188", func(_ *testing.T, s *server, f fixture) {
			s.foreign().refuses(404, identityMissing, "identities.deleteIdentity", `{"identity":"user_1"}`)
			s.post("identities.deleteIdentity", `{"identity":"user_1"}`)
			s.refuses(404, identityMissing, "identities.deleteIdentity", `{"identity":"nobody"}`, `{"identity":"user_1"}`, `{"identity":"a b/ü'\"%"}`,
				`{"identity":"`+strings.Repeat("x", 5000)+`"}`)
		}},
		{"row 189", func(_ *testing.T, s *server, f fixture) {
			for _, held := range []string{"identity.*.read_identity", "api.*.delete_api", f.in("identity.IDENTITY.delete_identity")} {
				s.grant(held).refuses(403, forbidden, "identities.deleteIdentity", `{"identity":"user_1"}`)
			}
		}},
		{"row 190", func(t *testing.T, s *server, f fixture) {
			show := of(s, `,"credits":{"remaining":5}`)
			require.JSONEq(t, `{"remaining":null}`, s.must("identities.updateCredits", credits("set", "null")))
			require.Nil(t, show())
		}},
		{"row 192", func(t *testing.T, s *server, f fixture) {
			of(s, `,"credits":{"remaining":100,`+monthly+`}`)
			require.JSONEq(t, `{"remaining":110,`+monthly+`}`, s.must("identities.updateCredits", credits("increment", "10")))
		}},
		{"row 193", func(t *testing.T, s *server, f fixture) {
			of(s, `,"credits":{"remaining":200,`+daily+`}`)
			require.JSONEq(t, `{"remaining":150,`+daily+`}`, s.must("identities.updateCredits", credits("decrement", "50")))
		}},
		{"row 194", func(t *testing.T, s *server, f fixture) {
			of(s, `,"credits":{"remaining":5}`)
			require.JSONEq(t, `{"remaining":0}`, s.must("identities.updateCredits", credits("decrement", "5")))
			require.JSONEq(t, `{"remaining":0}`, s.must("identities.updateCredits", credits("decrement", "5")))
		}},
		{"row 196", func(t *testing.T, s *server, f fixture) {
			of(s, `,"credits":{"remaining":5}`)
			keys := []fixture{s.newKey(f, `,"externalId":"other"`), s.newKey(f, `,"externalId":"other"`), s.newKey(f, `,"externalId":"other"`)}
			s.must("identities.updateCredits", credits("set", "250"))
			for _, k := range keys {
				require.Equal(t, int64(250), *s.verdict(k, `,"credits":{"cost":0}`).Credits)
			}
		}},
		{"row 197", func(_ *testing.T, s *server, f fixture) {
			of(s, ``)
			s.refuses(400, invalidInput, "identities.updateCredits", credits("increment", "null"), credits("decrement", "null"),
				`{"identity":"other","operation":"increment"}`, `{"identity":"other","operation":"decrement"}`,
				credits("increment", "1"), credits("decrement", "1"), credits("set", "-1"))
		}},
		{"row 198", func(_ *testing.T, s *server, f fixture) {
			of(s, ``)
			for _, held := range []string{"none", "api.*.create_key"} {
				s.grant(held).refuses(403, forbidden, "identities.updateCredits", credits("set", "1"))
			}
			s.foreign().refuses(404, identityMissing, "identities.updateCredits", credits("set", "1"))
		}},
	})
}
