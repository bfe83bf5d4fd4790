package api_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// verify asks about the fixture's key and returns data.
func (s *server) verify(f fixture, fields string) string {
	s.t.Helper()
	return s.must("keys.verifyKey", f.in(`{"key":"SECRET"`+fields+`}`))
}

// TestVerifyKey_Data shows the fields of docs/contract.md 3.7 for every verdict, and the credits of 3.4 in every situation.
func TestVerifyKey_Data(t *testing.T) {
	base := newServer(t)
	const cost = `,"credits":{"cost":`
	for _, test := range []struct {
		name, create, ask string
		want              []string // one answer after the other
	}{
		{"unlimited", ``, ``, []string{`"valid":true,"code":"VALID","enabled":true`}},
		{"unlimited, cost ignored", ``, cost + `1000000000000}`, []string{`"valid":true,"code":"VALID","enabled":true`}},
		{"cost 1 by default", `,"credits":{"remaining":2}`, ``, []string{
			`"valid":true,"code":"VALID","enabled":true,"credits":1`,
			`"valid":true,"code":"VALID","enabled":true,"credits":0`,
			`"valid":false,"code":"USAGE_EXCEEDED","enabled":true,"credits":0`,
			`"valid":false,"code":"USAGE_EXCEEDED","enabled":true,"credits":0`}},
		{"all at once", `,"credits":{"remaining":5}`, cost + `5}`, []string{`"valid":true,"code":"VALID","enabled":true,"credits":0`}},
		{"never a part", `,"credits":{"remaining":5}`, cost + `15}`, []string{
			`"valid":false,"code":"USAGE_EXCEEDED","enabled":true,"credits":5`,
			`"valid":false,"code":"USAGE_EXCEEDED","enabled":true,"credits":5`}},
		{"cost 0 at 0", `,"credits":{"remaining":0}`, cost + `0}`, []string{`"valid":true,"code":"VALID","enabled":true,"credits":0`}},
		{"disabled", `,"enabled":false,"credits":{"remaining":7},"name":"n","meta":{"a":1}`, ``, []string{
			`"valid":false,"code":"DISABLED","enabled":false,"credits":7,"name":"n","meta":{"a":1}`}},
		{"disabled wins over expired", `,"enabled":false,"expires":1`, ``, []string{`"valid":false,"code":"DISABLED","enabled":false,"expires":1`}},
		{"expired", `,"expires":1,"credits":{"remaining":7}`, ``, []string{`"valid":false,"code":"EXPIRED","enabled":true,"expires":1,"credits":7`}},
		{"born expired at 0", `,"expires":0`, ``, []string{`"valid":false,"code":"EXPIRED","enabled":true,"expires":0`}},
		{"expires later", `,"expires":4102444800000`, ``, []string{`"valid":true,"code":"VALID","enabled":true,"expires":4102444800000`}},
		{"empty meta", `,"meta":{}`, ``, []string{`"valid":true,"code":"VALID","enabled":true`}},
		{"odd name", `,"name":"a\"b\\c\u0001é"`, ``, []string{`"valid":true,"code":"VALID","enabled":true,"name":"a\"b\\c\u0001é"`}},
		{"identity pays", `,"externalId":"user_1"`, ``, []string{
			`"valid":true,"code":"VALID","enabled":true,"credits":49,"identity":{"id":"IDENTITY","externalId":"user_1"}`}},
		{"identity exhausted", `,"externalId":"user_1","credits":{"remaining":5}`, cost + `51}`, []string{
			`"valid":false,"code":"USAGE_EXCEEDED","enabled":true,"credits":50,"identity":{"id":"IDENTITY","externalId":"user_1"}`}},
		{"tags of all sorts", ``, `,"tags":["a b","🎉","<&>\"","` + strings.Repeat("x", 512) + `"]`, []string{`"valid":true,"code":"VALID","enabled":true`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := base.on(t).foreign()
			f := s.newKey(s.fixture(), test.create)
			for _, want := range test.want {
				require.JSONEq(t, f.in(`{"keyId":"KEYID",`+want+`}`), s.verify(f, test.ask))
			}
		})
	}
}

// TestVerifyKey_QueryThenLimitsThenCredits: docs/contract.md 3.3. A check that fails leaves what later ones would take.
func TestVerifyKey_QueryThenLimitsThenCredits(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"credits":{"remaining":1},"permissions":["docs.read"],"roles":["editor"],
		"ratelimits":[{"name":"calls","limit":2,"duration":60000,"autoApply":true}]`)
	limit := regexp.MustCompile(`rl_[a-zA-Z0-9]+`).FindString(s.showKey(f))
	const access = `"permissions":["docs.read"],"roles":["editor"]`
	state := func(remaining int, exceeded bool) string {
		return fmt.Sprintf(`,"ratelimits":[{"id":%q,"name":"calls","limit":2,"duration":60000,"autoApply":true,"reset":%d,"remaining":%d,"exceeded":%t}]`,
			limit, startTime/60_000*60_000+60_000, remaining, exceeded)
	}
	for _, test := range []struct{ ask, want string }{
		{`,"permissions":"docs.write"`, `"valid":false,"code":"INSUFFICIENT_PERMISSIONS","credits":1,` + access},
		{`,"permissions":"docs.read"`, `"valid":true,"code":"VALID","credits":0,` + access + state(1, false)},
		{`,"permissions":"docs.read"`, `"valid":false,"code":"USAGE_EXCEEDED","credits":0,` + access + state(0, false)},
		{``, `"valid":false,"code":"RATE_LIMITED","credits":0,` + access + state(0, true)},
	} {
		require.JSONEq(t, f.in(`{"keyId":"KEYID","enabled":true,`+test.want+`}`), s.verify(f, test.ask))
	}
	s.post("keys.verifyKey", f.in(`{"key":"SECRET","permissions":"a b","ratelimits":[{"name":"none"}]}`)).fails(400, querySyntax)
}

// The data of NOT_FOUND is exactly this: docs/contract.md 3.7.
func TestVerifyKey_NotFound(t *testing.T) {
	s := newServer(t)
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.must("keys.verifyKey", `{"key":"nobody","credits":{"cost":5},"tags":["a"]}`))
}

// A meta of the identity is shown, its credits are not: docs/contract.md 3.7.
func TestVerifyKey_ShowsTheIdentity(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("identities.updateIdentity", `{"identity":"user_1","meta":{"plan":"pro"},"creditPolicy":"both"}`)
	require.JSONEq(t, f.in(`{"valid":true,"code":"VALID","keyId":"KEYID","enabled":true,"credits":9,`+
		`"identity":{"id":"IDENTITY","externalId":"user_1","meta":{"plan":"pro"}}}`), s.verify(f, ``))
}

// Expiry is strictly after: docs/contract.md 3.2.
func TestVerifyKey_Expires(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), fmt.Sprintf(`,"expires":%d`, startTime+1000))
	s.now += 1000
	require.Contains(t, s.verify(f, ``), `"VALID"`)
	s.now++
	require.Contains(t, s.verify(f, ``), `"EXPIRED"`)
}

// A verification sees a refill that is due, and otherwise refills nothing: docs/contract.md 3.4 and 4.3.
func TestVerifyKey_Refill(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"credits":{"remaining":3,"refill":{"interval":"daily","amount":100}}`)
	require.Contains(t, s.verify(f, ``), `"credits":2`)
	require.Contains(t, s.verify(f, ``), `"credits":1`)
	s.now += day
	require.Contains(t, s.verify(f, ``), `"credits":99`)
	require.Contains(t, s.verify(f, ``), `"credits":98`)
}

// With n credits at cost c, exactly n/c calls succeed: docs/contract.md 3.4.
func TestVerifyKey_ChargesExactly(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"credits":{"remaining":50}`)
	answers := make(chan string)
	for range 4 {
		go func() {
			for range 10 {
				answers <- s.post("keys.verifyKey", f.in(`{"key":"SECRET","credits":{"cost":3}}`)).text
			}
		}()
	}
	passed := 0
	for range 40 {
		if strings.Contains(<-answers, `"VALID"`) {
			passed++
		}
	}
	require.Equal(t, 16, passed)
	require.Contains(t, s.verify(f, `,"credits":{"cost":0}`), `"credits":2`)
}

func TestVerifyKey_Refuses(t *testing.T) {
	s := newServer(t)
	many := strings.Repeat(`"x",`, 20) + `"x"`
	for _, body := range []string{
		`{}`, `{"key":""}`, `{"key":null}`, `{"key":"x","apiId":"api_12345678"}`, `{"key":"x","credits":null}`, `{"key":"x","credits":{}}`,
		`{"key":"x","credits":{"cost":-1}}`, `{"key":"x","credits":{"cost":1000000000001}}`, `{"key":"x","credits":{"cost":1.5}}`,
		`{"key":"x","credits":{"cost":1,"x":1}}`, `{"key":"x","tags":[""]}`, `{"key":"x","tags":null}`, `{"key":"x","tags":[` + many + `]}`,
		`{"key":"x","tags":["` + strings.Repeat("x", 513) + `"]}`, fmt.Sprintf(`{"key":%q}`, strings.Repeat("x", 513)),
	} {
		s.post("keys.verifyKey", body).fails(400, invalidInput)
	}
	s.must("keys.verifyKey", `{"key":"x","tags":[`+many[4:]+`]}`)
}
