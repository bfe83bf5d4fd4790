package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The tables of docs/contract.md 4, row by row, over HTTP. Every table holds for keys and for identities alike.

// owner is something that may have a credit record.
type owner struct {
	kind string
	// create makes one with these credits, "" for none, and returns the answer.
	create                func(s *server, credits string) *reply
	update, updateCredits string // endpoints
	name                  string // names the owner in requests to these
	get                   string
}

var owners = []owner{
	{
		kind: "key",
		create: func(s *server, credits string) *reply {
			apiID := s.get("apiId", "apis.createApi", `{"name":"abc"}`)
			return s.post("keys.createKey", fmt.Sprintf(`{"apiId":%q%s}`, apiID, credits))
		},
		update: "keys.updateKey", updateCredits: "keys.updateCredits", name: "keyId", get: "keys.getKey",
	},
	{
		kind: "identity",
		create: func(s *server, credits string) *reply {
			return s.post("identities.createIdentity", fmt.Sprintf(`{"externalId":"owner"%s}`, credits))
		},
		update: "identities.updateIdentity", updateCredits: "identities.updateCredits", name: "identity", get: "identities.getIdentity",
	},
}

// record makes an owner with these credits and returns what names it in further requests: `"keyId":"…"`.
func (o owner) record(s *server, credits string) string {
	s.t.Helper()
	if credits != "" {
		credits = `,"credits":` + credits
	}
	field := map[string]string{"key": "keyId", "identity": "identityId"}[o.kind]
	return fmt.Sprintf("%q:%q", o.name, o.create(s, credits).field(field))
}

// shown returns the owner's credits, or "unlimited".
func (o owner) shown(s *server, name string) string {
	s.t.Helper()
	var data struct {
		Credits json.RawMessage `json:"credits"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(s.must(o.get, "{"+name+"}")), &data))
	if data.Credits == nil {
		return "unlimited"
	}
	return string(data.Credits)
}

// TestCredits_Create: docs/contract.md 4.2 [D-9].
func TestCredits_Create(t *testing.T) {
	base := newServer(t)
	for _, o := range owners {
		for _, test := range []struct{ credits, want string }{
			{``, `unlimited`},
			{`{"remaining":null}`, `unlimited`},
			{`{"remaining":null,"refill":{"interval":"daily","amount":1}}`, ``},
			{`{"remaining":5}`, `{"remaining":5}`},
			{`{"remaining":0}`, `{"remaining":0}`},
			{`{"remaining":2147483648}`, `{"remaining":2147483648}`}, // D-5
			{`{"remaining":9223372036854775807}`, `{"remaining":9223372036854775807}`},
			{`{"remaining":5,"refill":{"interval":"daily","amount":7}}`, `{"remaining":5,"refill":{"interval":"daily","amount":7}}`},
			{`{"remaining":9,"refill":{"interval":"daily","amount":7}}`, `{"remaining":9,"refill":{"interval":"daily","amount":7}}`},
			{`{"remaining":5,"refill":{"interval":"daily","amount":7,"refillDay":3}}`, `{"remaining":5,"refill":{"interval":"daily","amount":7}}`},
			{`{"remaining":5,"refill":{"interval":"monthly","amount":7,"refillDay":31}}`,
				`{"remaining":5,"refill":{"interval":"monthly","amount":7,"refillDay":31}}`},
			{`{"remaining":5,"refill":{"interval":"monthly","amount":7}}`, ``},
			{`{"refill":{"interval":"daily","amount":7}}`, ``},
			{`{}`, ``},
			{`{"remaining":-1}`, ``},
			{`{"remaining":1.5}`, ``},
			{`{"remaining":9223372036854775808}`, ``},
			{`{"remaining":5,"refill":null}`, ``},
			{`{"remaining":5,"refill":{"interval":"weekly","amount":7}}`, ``},
			{`{"remaining":5,"refill":{"interval":"daily","amount":0}}`, ``},
			{`{"remaining":5,"refill":{"interval":"monthly","amount":7,"refillDay":0}}`, ``},
			{`{"remaining":5,"refill":{"interval":"monthly","amount":7,"refillDay":32}}`, ``},
			{`{"remaining":5,"x":1}`, ``},
		} {
			t.Run(o.kind+" "+test.credits, func(t *testing.T) {
				s := base.on(t).foreign()
				if test.want == "" {
					o.create(s, `,"credits":`+test.credits).fails(400, invalidInput)
					return
				}
				require.Equal(t, test.want, o.shown(s, o.record(s, test.credits)))
			})
		}
	}
}

// The refusal of a refill without a balance names the field. docs/contract.md 4.2.
func TestCredits_CreateNamesTheField(t *testing.T) {
	base := newServer(t)
	for _, o := range owners {
		re := o.create(base.foreign(), `,"credits":{"remaining":null,"refill":{"interval":"daily","amount":1}}`).fails(400, invalidInput)
		require.Contains(t, re.Error.Detail, "credits.remaining")
		require.Empty(t, *re.Error.Errors)
	}
}

// TestCredits_Refill: docs/contract.md 4.3, as far as it shows over HTTP. Time starts on 15 June 2025.
func TestCredits_Refill(t *testing.T) {
	type check struct {
		days int
		run  func()
	}
	base, later := newServer(t), []check{}
	const june = 15
	for _, test := range []struct {
		name, refill     string
		remaining, after int // days
		want             int
	}{
		{"daily, same day", `"interval":"daily","amount":100`, 5, 0, 5},
		{"daily, next day", `"interval":"daily","amount":100`, 5, 1, 100},
		{"daily, missed days count once", `"interval":"daily","amount":100`, 5, 9, 100},
		{"never lowers", `"interval":"daily","amount":100`, 1000, 1, 1000},
		{"monthly, not yet", `"interval":"monthly","amount":100,"refillDay":20`, 5, 20 - june - 1, 5},
		{"monthly, on the day", `"interval":"monthly","amount":100,"refillDay":20`, 5, 20 - june, 100},
		{"day 31 in June is the 30th", `"interval":"monthly","amount":100,"refillDay":31`, 5, 30 - june, 100},
		{"day 31 in June, the 29th", `"interval":"monthly","amount":100,"refillDay":31`, 5, 29 - june, 5},
		{"today's day counts from the next month on", `"interval":"monthly","amount":100,"refillDay":15`, 5, 29, 5},
		{"and then it does", `"interval":"monthly","amount":100,"refillDay":15`, 5, 30, 100},
	} {
		for _, o := range owners {
			s := base.foreign()
			name := o.record(s, fmt.Sprintf(`{"remaining":%d,"refill":{%s}}`, test.remaining, test.refill))
			later = append(later, check{test.after, func() {
				t.Run(o.kind+" "+test.name, func(t *testing.T) {
					require.Contains(t, o.shown(s.on(t), name), fmt.Sprintf(`{"remaining":%d,`, test.want))
				})
			}})
		}
	}
	slices.SortStableFunc(later, func(a, b check) int { return a.days - b.days })
	for _, c := range later { // time goes one way, so all of them share it
		base.now = startTime + int64(c.days)*day
		c.run()
	}
}

// TestCredits_UpdateCredits: docs/contract.md 4.4.
func TestCredits_UpdateCredits(t *testing.T) {
	base := newServer(t)
	const (
		plain   = `{"remaining":100}`
		refills = `{"remaining":100,"refill":{"interval":"monthly","amount":50,"refillDay":15}}`
		daily   = `{"remaining":200,"refill":{"interval":"daily","amount":25}}`
		most    = `{"remaining":9223372036854775807}`
	)
	for _, test := range []struct{ before, change, want string }{
		{plain, `"operation":"set","value":7`, `{"remaining":7}`},
		{plain, `"operation":"set","value":0`, `{"remaining":0}`},
		{refills, `"operation":"set","value":7`, `{"remaining":7,"refill":{"interval":"monthly","amount":50,"refillDay":15}}`},
		{refills, `"operation":"set","value":null`, `{"remaining":null}`},
		{refills, `"operation":"set"`, `{"remaining":null}`}, // D-16: all that the Go SDK can send
		{plain, `"operation":"set","value":9223372036854775807`, most},
		{``, `"operation":"set","value":7`, `{"remaining":7}`},
		{``, `"operation":"set","value":null`, `{"remaining":null}`},
		{``, `"operation":"set"`, `{"remaining":null}`},
		{refills, `"operation":"increment","value":10`, `{"remaining":110,"refill":{"interval":"monthly","amount":50,"refillDay":15}}`},
		{plain, `"operation":"increment","value":0`, plain},
		{plain, `"operation":"increment","value":null`, ``},
		{plain, `"operation":"increment"`, ``},
		{``, `"operation":"increment","value":10`, ``},
		{most, `"operation":"increment","value":0`, most},
		{most, `"operation":"increment","value":1`, ``}, // D-17
		{daily, `"operation":"decrement","value":50`, `{"remaining":150,"refill":{"interval":"daily","amount":25}}`},
		{plain, `"operation":"decrement","value":100`, `{"remaining":0}`},
		{plain, `"operation":"decrement","value":101`, `{"remaining":0}`},
		{plain, `"operation":"decrement","value":0`, plain},
		{plain, `"operation":"decrement","value":null`, ``},
		{plain, `"operation":"decrement"`, ``},
		{``, `"operation":"decrement","value":10`, ``},
		{plain, `"operation":"set","value":-1`, ``},
		{plain, `"operation":"add","value":1`, ``},
		{plain, `"value":1`, ``},
		{plain, `"operation":"set","value":"1"`, ``},
		{plain, `"operation":"set","value":1,"x":1`, ``},
	} {
		for _, o := range owners {
			t.Run(o.kind+" "+test.before+" "+test.change, func(t *testing.T) {
				s := base.on(t).foreign()
				name := o.record(s, test.before)
				re := s.post(o.updateCredits, "{"+name+","+test.change+"}")
				after := test.want
				switch test.want {
				case "":
					re.fails(400, invalidInput)
					after = test.before
				default:
					require.Equal(t, test.want, re.ok())
				}
				if after == "" || after == `{"remaining":null}` {
					after = "unlimited"
				}
				require.Equal(t, after, o.shown(s, name), "a refusal changes nothing, and a change is seen")
			})
		}
	}
}

// TestCredits_UpdateCreditsLookup: 404 before 403 before the rules of 4.4. docs/contract.md 1.13, 2.3, 2.4.
func TestCredits_UpdateCreditsLookup(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	weak := s.grant("api.*.create_key", "api.other.update_key", "identity.other.update_identity")
	for endpoint, name := range map[string]string{"keys.updateCredits": `"keyId":"KEYID"`, "identities.updateCredits": `"identity":"IDENTITY"`} {
		missing := map[string]string{"keys.updateCredits": keyNotFound, "identities.updateCredits": identityMissing}[endpoint]
		unknown := map[string]string{"keys.updateCredits": `"keyId":"no such-thing"`, "identities.updateCredits": `"identity":"no such"`}[endpoint]
		weak.post(endpoint, `{`+unknown+`,"operation":"increment"}`).fails(404, missing)
		weak.post(endpoint, f.in(`{`+name+`,"operation":"increment"}`)).fails(403, forbidden)
		s.post(endpoint, f.in(`{`+name+`,"operation":"increment"}`)).fails(400, invalidInput)
		short := map[string]string{"keys.updateCredits": `"keyId":"ab"`, "identities.updateCredits": `"identity":"ab"`}[endpoint]
		s.post(endpoint, `{`+short+`,"operation":"set"}`).fails(400, invalidInput)
	}
}

// TestCredits_Update: docs/contract.md 4.5 for keys and 4.6 for identities.
func TestCredits_Update(t *testing.T) {
	base := newServer(t)
	const (
		usual     = `{"remaining":300,"refill":{"interval":"monthly","amount":100,"refillDay":25}}`
		unlimited = ``
	)
	for _, test := range []struct{ before, change, want string }{ // want "" is 400
		{usual, ``, usual},
		{usual, `{}`, usual},
		{usual, `null`, `unlimited`},
		{usual, `{"remaining":null}`, `unlimited`},
		{usual, `{"remaining":999}`, `{"remaining":999,"refill":{"interval":"monthly","amount":100,"refillDay":25}}`},
		{usual, `{"remaining":0}`, `{"remaining":0,"refill":{"interval":"monthly","amount":100,"refillDay":25}}`},
		{usual, `{"refill":null}`, `{"remaining":300}`},
		{usual, `{"refill":{"interval":"monthly","amount":150,"refillDay":20}}`,
			`{"remaining":300,"refill":{"interval":"monthly","amount":150,"refillDay":20}}`},
		{usual, `{"refill":{"interval":"daily","amount":25}}`, `{"remaining":300,"refill":{"interval":"daily","amount":25}}`},
		{usual, `{"remaining":1000,"refill":{"interval":"monthly","amount":500,"refillDay":1}}`,
			`{"remaining":1000,"refill":{"interval":"monthly","amount":500,"refillDay":1}}`},
		{usual, `{"remaining":5,"refill":null}`, `{"remaining":5}`},
		{usual, `{"remaining":null,"refill":null}`, `unlimited`},
		{usual, `{"remaining":null,"refill":{"interval":"daily","amount":5}}`, ``},
		{usual, `{"refill":{"interval":"monthly","amount":5}}`, ``},
		{usual, `{"refill":{"interval":"daily","amount":5,"refillDay":3}}`, ``},
		{usual, `{"refill":{"interval":"monthly","amount":5,"refillDay":32}}`, ``},
		{usual, `{"remaining":-1}`, ``},
		{usual, `{"x":1}`, ``},
		{unlimited, `{"refill":{"interval":"daily","amount":25}}`, ``},
		{unlimited, `{"refill":null}`, `unlimited`},
		{unlimited, `{}`, `unlimited`},
		{unlimited, `{"remaining":10}`, `{"remaining":10}`},
		{unlimited, `{"remaining":10,"refill":{"interval":"daily","amount":5}}`, `{"remaining":10,"refill":{"interval":"daily","amount":5}}`},
	} {
		for _, o := range owners {
			t.Run(o.kind+" "+test.before+" "+test.change, func(t *testing.T) {
				s := base.on(t).foreign()
				name := o.record(s, test.before)
				body := name + `,"meta":{"changed":true}`
				if test.change != "" {
					body += `,"credits":` + test.change
				}
				re := s.post(o.update, "{"+body+"}")
				if test.want != "" {
					re.ok()
					require.Equal(t, test.want, o.shown(s, name))
					return
				}
				re.fails(400, invalidInput)
				before := test.before
				if before == "" {
					before = "unlimited"
				}
				require.Equal(t, before, o.shown(s, name))
				require.NotContains(t, s.must(o.get, "{"+name+"}"), "changed", "a 400 leaves the other fields alone as well")
			})
		}
	}
}

// TestCredits_BothShow: docs/contract.md 4.7.
func TestCredits_BothShow(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"externalId":"user_1","credits":{"remaining":100}`)
	require.JSONEq(t, `{"enabled":true,"credits":{"remaining":100},"identity":{"externalId":"user_1","credits":{"remaining":50}}}`, s.showKey(f))
	s.must("identities.updateIdentity", `{"identity":"user_1","credits":{"refill":{"interval":"monthly","amount":1000,"refillDay":1}}}`)
	require.Contains(t, s.showKey(f), `"refill":{"amount":1000,"interval":"monthly","refillDay":1}`)
}

// TestCredits_WhoPays: docs/contract.md 4.8. Balances are identity / key, "-" for none.
func TestCredits_WhoPays(t *testing.T) {
	base := newServer(t)
	type balances struct{ identity, key string }
	for _, test := range []struct {
		policy  string
		before  balances
		cost    int
		outcome string
		shown   string // credits of the answer
		after   balances
	}{
		{"identity", balances{"20", "10"}, 1, "VALID", "19", balances{"19", "10"}},
		{"key", balances{"20", "10"}, 1, "VALID", "9", balances{"20", "9"}},
		{"both", balances{"20", "10"}, 1, "VALID", "9", balances{"19", "9"}},
		{"", balances{"20", "10"}, 1, "VALID", "19", balances{"19", "10"}},

		{"identity", balances{"-", "-"}, 1, "VALID", "", balances{"-", "-"}},
		{"key", balances{"-", "-"}, 1, "VALID", "", balances{"-", "-"}},
		{"both", balances{"-", "-"}, 1, "VALID", "", balances{"-", "-"}},
		{"identity", balances{"-", "10"}, 1, "VALID", "9", balances{"-", "9"}},
		{"key", balances{"-", "10"}, 1, "VALID", "9", balances{"-", "9"}},
		{"both", balances{"-", "10"}, 1, "VALID", "9", balances{"-", "9"}},
		{"identity", balances{"20", "-"}, 1, "VALID", "19", balances{"19", "-"}},
		{"key", balances{"20", "-"}, 1, "VALID", "19", balances{"19", "-"}},
		{"both", balances{"20", "-"}, 1, "VALID", "19", balances{"19", "-"}},

		{"identity", balances{"0", "10"}, 1, "USAGE_EXCEEDED", "0", balances{"0", "10"}},
		{"identity", balances{"0", "10"}, 0, "VALID", "0", balances{"0", "10"}},
		{"key", balances{"20", "0"}, 1, "USAGE_EXCEEDED", "0", balances{"20", "0"}},
		{"both", balances{"20", "3"}, 5, "USAGE_EXCEEDED", "3", balances{"20", "3"}},
		{"both", balances{"3", "20"}, 5, "USAGE_EXCEEDED", "3", balances{"3", "20"}},
		{"both", balances{"0", "0"}, 0, "VALID", "0", balances{"0", "0"}},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			s := base.on(t).foreign()
			credits := func(balance string) string {
				if balance == "-" {
					return ""
				}
				return `,"credits":{"remaining":` + balance + `}`
			}
			policy := ""
			if test.policy != "" {
				policy = `,"creditPolicy":"` + test.policy + `"`
			}
			s.must("identities.createIdentity", `{"externalId":"payer"`+credits(test.before.identity)+policy+`}`)
			var f fixture
			f.apiID = s.get("apiId", "apis.createApi", `{"name":"abc"}`)
			f = s.newKey(f, `,"externalId":"payer"`+credits(test.before.key))

			var answer struct {
				Code    string
				Credits json.Number
			}
			require.NoError(t, json.Unmarshal([]byte(s.verify(f, fmt.Sprintf(`,"credits":{"cost":%d}`, test.cost))), &answer))
			require.Equal(t, test.outcome, answer.Code)
			require.Equal(t, test.shown, answer.Credits.String())

			var shown struct {
				Credits  *struct{ Remaining json.Number }
				Identity struct {
					Credits      *struct{ Remaining json.Number }
					CreditPolicy string
				}
			}
			require.NoError(t, json.Unmarshal([]byte(s.must("keys.getKey", f.in(`{"keyId":"KEYID"}`))), &shown))
			after := balances{"-", "-"}
			if shown.Credits != nil {
				after.key = shown.Credits.Remaining.String()
			}
			if shown.Identity.Credits != nil {
				after.identity = shown.Identity.Credits.Remaining.String()
			}
			require.Equal(t, test.after, after)
			if test.policy == "identity" {
				require.Empty(t, shown.Identity.CreditPolicy, "the default policy is left out")
			} else {
				require.Equal(t, test.policy, shown.Identity.CreditPolicy)
			}
		})
	}
}

// TestCredits_PayerChanges: the consequences that docs/contract.md 4.8 and 4.10 draw.
func TestCredits_PayerChanges(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"externalId":"user_1","credits":{"remaining":10}`)
	second := s.newKey(f, `,"externalId":"user_1"`)
	require.Contains(t, s.verify(f, ``), `"credits":49`)
	require.Contains(t, s.verify(second, ``), `"credits":48`, "all keys of an identity draw on one record")

	s.must("identities.updateCredits", `{"identity":"user_1","operation":"set","value":250}`)
	require.Contains(t, s.verify(f, ``), `"credits":249`)
	s.must("identities.updateIdentity", `{"identity":"user_1","creditPolicy":"key"}`)
	require.Contains(t, s.verify(f, ``), `"credits":9`)
	s.must("identities.updateIdentity", `{"identity":"user_1","creditPolicy":"identity"}`)
	s.must("identities.updateIdentity", `{"identity":"user_1","credits":null}`)
	require.Contains(t, s.verify(f, ``), `"credits":8`, "without the identity's record the key's pays")

	s.must("identities.createIdentity", `{"externalId":"other","credits":{"remaining":70}}`)
	s.must("keys.updateKey", f.in(`{"keyId":"KEYID","externalId":"other"}`))
	require.Contains(t, s.verify(f, ``), `"credits":69`)
	s.must("keys.updateKey", f.in(`{"keyId":"KEYID","externalId":null}`))
	require.Contains(t, s.verify(f, ``), `"credits":7`)
	s.must("keys.updateKey", second.in(`{"keyId":"KEYID","externalId":"other"}`))
	s.post("identities.deleteIdentity", `{"identity":"other"}`)
	require.Contains(t, s.verify(second, ``), `"code":"USAGE_EXCEEDED"`, "a key whose identity is gone with its credits has its own record or nothing")
}
