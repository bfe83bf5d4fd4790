package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// limits is the field ratelimits of a request: "name limit/duration", a + at the end for autoApply.
func limits(list ...string) string {
	var items []string
	for _, text := range list {
		var name string
		var limit, duration int64
		plain, auto := strings.CutSuffix(text, "+")
		_, err := fmt.Sscanf(strings.ReplaceAll(plain, "/", " "), "%s %d %d", &name, &limit, &duration)
		if err != nil {
			panic(err)
		}
		items = append(items, fmt.Sprintf(`{"name":%q,"limit":%d,"duration":%d,"autoApply":%v}`, name, limit, duration, auto))
	}
	return `,"ratelimits":[` + strings.Join(items, ",") + `]`
}

// checked is what a verification or a limited thing shows of one rate limit.
type checked struct {
	ID        string
	Name      string
	Limit     int64
	Duration  int64
	Reset     *int64
	Remaining *int64
	Exceeded  *bool
	AutoApply *bool
}

// verdictOf is an answer of keys.verifyKey.
type verdictOf struct {
	Valid      bool
	Code       string
	Credits    *int64
	Ratelimits []checked
	Identity   *struct{ Ratelimits []checked }
}

func (s *server) verdict(f fixture, fields string) (v verdictOf) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.verify(f, fields)), &v))
	require.Equal(s.t, v.Valid, v.Code == "VALID")
	for _, r := range v.Ratelimits {
		require.NotNil(s.t, r.Reset)
		require.NotNil(s.t, r.Remaining)
		require.NotNil(s.t, r.Exceeded)
		require.NotNil(s.t, r.AutoApply)
		require.Positive(s.t, *r.Reset-s.now)
		require.LessOrEqual(s.t, *r.Reset-s.now, r.Duration)
	}
	return v
}

// item is the rate limit of that name among those that were checked.
func (v verdictOf) item(t *testing.T, name string) checked {
	t.Helper()
	for _, r := range v.Ratelimits {
		if r.Name == name {
			return r
		}
	}
	require.Fail(t, "not checked", "%s in %+v", name, v.Ratelimits)
	return checked{}
}

const asksRequests = `,"ratelimits":[{"name":"requests"}]`

// Auto-applied and named rate limits of a key: docs/contract.md 3.6.
func TestVerifyKey_Ratelimits(t *testing.T) {
	base := newServer(t)
	for name, test := range map[string]struct{ create, ask string }{
		"auto-applied":                {limits("requests 1/60000+"), ``},
		"named":                       {limits("requests 1/60000"), asksRequests},
		"auto-applied and named":      {limits("requests 1/60000+"), asksRequests},
		"named twice":                 {limits("requests 1/60000"), `,"ratelimits":[{"name":"requests","cost":7},{"name":"requests"}]`},
		"the request's cost replaces": {limits("requests 5/60000+"), `,"ratelimits":[{"name":"requests","cost":3}]`},
		"a limit without a duration":  {limits("requests 1/60000"), `,"ratelimits":[{"name":"requests","limit":50,"unheardOf":1}]`},
	} {
		t.Run(name, func(t *testing.T) {
			s := base.on(t).foreign()
			f := s.newKey(s.fixture(), test.create+`,"credits":{"remaining":9}`)
			v := s.verdict(f, test.ask)
			require.Equal(t, "VALID", v.Code)
			require.Len(t, v.Ratelimits, 1)
			require.EqualValues(t, 8, *v.Credits)
			v = s.verdict(f, test.ask)
			require.Equal(t, "RATE_LIMITED", v.Code)
			require.Len(t, v.Ratelimits, 1)
			item := v.item(t, "requests")
			require.True(t, *item.Exceeded)
			require.Zero(t, *item.Remaining)
			require.Regexp(t, `^rl_[a-zA-Z0-9]{16}$`, item.ID)
			require.EqualValues(t, 8, *v.Credits, "the current balance, not charged")
			s.now += 120_000
			require.Equal(t, "VALID", s.verdict(f, test.ask).Code)
		})
	}
	s := base.foreign()
	f := s.newKey(s.fixture(), limits("requests 1/60000"))
	require.Empty(t, s.verdict(f, ``).Ratelimits, "neither auto-applied nor named")
}

// An item with limit and duration needs no configuration, and replaces one: docs/contract.md 3.6.
func TestVerifyKey_AdHocRatelimits(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), limits("requests 1/60000+"))
	const ask = `,"ratelimits":[{"name":"requests","limit":10,"duration":60000,"cost":3}]`
	for _, remaining := range []int64{7, 4, 1} {
		v := s.verdict(f, ask)
		require.Equal(t, "VALID", v.Code)
		require.Len(t, v.Ratelimits, 1)
		item := v.item(t, "requests")
		require.Equal(t, remaining, *item.Remaining)
		require.False(t, *item.AutoApply)
		require.Empty(t, item.ID)
		require.EqualValues(t, 10, item.Limit)
	}
	require.Equal(t, "RATE_LIMITED", s.verdict(f, ask).Code)
	other := s.newKey(s.fixtureOf(f), ``)
	require.Equal(t, "VALID", s.verdict(other, ask).Code, "the same name on another key is another counter")

	// D-13: a limit of 0 denies, a duration that is too short is refused.
	require.Equal(t, "RATE_LIMITED", s.verdict(other, `,"ratelimits":[{"name":"none","limit":0,"duration":1000,"cost":0}]`).Code)
	re := s.post("keys.verifyKey", other.in(`{"key":"SECRET","ratelimits":[{"name":"short","limit":1,"duration":999}]}`)).fails(400, invalidInput)
	require.Empty(t, *re.Error.Errors)
}

// fixtureOf is the fixture without its key.
func (s *server) fixtureOf(f fixture) fixture {
	return fixture{apiID: f.apiID, identityID: f.identityID}
}

// Rate limits of an identity are shared by its keys; one of the key's own shadows them: docs/contract.md 3.6.
func TestVerifyKey_IdentityRatelimits(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("identities.updateIdentity", f.in(`{"identity":"IDENTITY"`+limits("requests 2/60000+", "tokens 9/60000")+`}`))
	one, two := s.newKey(f, `,"externalId":"user_1"`), s.newKey(f, `,"externalId":"user_1"`)
	v := s.verdict(one, ``)
	require.Equal(t, "VALID", v.Code)
	require.Len(t, v.Identity.Ratelimits, 2)
	require.Nil(t, v.Identity.Ratelimits[0].Reset)
	require.Equal(t, "VALID", s.verdict(two, ``).Code)
	require.Equal(t, "RATE_LIMITED", s.verdict(one, ``).Code)
	require.Equal(t, "RATE_LIMITED", s.verdict(two, ``).Code)

	own := s.newKey(f, `,"externalId":"user_1"`+limits("requests 5/60000"))
	v = s.verdict(own, ``)
	require.Equal(t, "VALID", v.Code)
	require.Empty(t, v.Ratelimits, "the key's configuration holds entirely, without autoApply")
	require.Len(t, v.Identity.Ratelimits, 1)
	require.Equal(t, "tokens", v.Identity.Ratelimits[0].Name)
	require.EqualValues(t, 4, *s.verdict(own, asksRequests).item(t, "requests").Remaining)

	s.post("identities.deleteIdentity", `{"identity":"user_1"}`)
	v = s.verdict(one, `,"credits":{"cost":0}`)
	require.Equal(t, "VALID", v.Code, "rate limits end with their identity")
	require.Empty(t, v.Ratelimits)
}

// Several rate limits take their tokens together or not at all: docs/contract.md 3.6.
func TestVerifyKey_RatelimitsAreAllOrNothing(t *testing.T) {
	base := newServer(t)
	for _, test := range []struct{ small, large, smallLimit, left int64 }{{60_000, 60_000, 3, 7}, {60_000, 2_592_000_000, 12, 188}} {
		s := base.on(t).foreign()
		large := test.smallLimit + test.left
		f := s.newKey(s.fixture(), limits(fmt.Sprintf("small %d/%d+", test.smallLimit, test.small), fmt.Sprintf("large %d/%d+", large, test.large)))
		for range test.smallLimit {
			require.Equal(t, "VALID", s.verdict(f, ``).Code)
		}
		v := s.verdict(f, ``)
		require.Equal(t, "RATE_LIMITED", v.Code)
		require.True(t, *v.item(t, "small").Exceeded)
		require.False(t, *v.item(t, "large").Exceeded)
		require.Equal(t, test.left, *v.item(t, "large").Remaining)
	}
}

// Tokens stay taken when the credits deny: docs/contract.md 3.4.
func TestVerifyKey_RatelimitsBeforeCredits(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), limits("requests 2/60000+")+`,"credits":{"remaining":0}`)
	for _, code := range []string{"USAGE_EXCEEDED", "USAGE_EXCEEDED", "RATE_LIMITED"} {
		v := s.verdict(f, ``)
		require.Equal(t, code, v.Code)
		require.Len(t, v.Ratelimits, 1)
		require.Zero(t, *v.Credits)
	}
	s.must("keys.updateKey", f.in(`{"keyId":"KEYID","enabled":false}`))
	require.Empty(t, s.verdict(f, ``).Ratelimits, "nothing was checked")
}

// A rate limit that is named and does not exist: docs/contract.md 3.6.
func TestVerifyKey_UnknownRatelimit(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), limits("requests 1/60000")+`,"credits":{"remaining":5}`)
	for _, ask := range []string{`{"name":"nothing"}`, `{"name":"nothing","cost":4}`, `{"name":"nothing","limit":1}`, `{"name":"nothing","duration":1000}`} {
		re := s.post("keys.verifyKey", f.in(`{"key":"SECRET","ratelimits":[{"name":"requests"},`+ask+`]}`)).
			fails(412, "unkey/application/precondition_failed")
		require.Contains(t, re.Error.Detail, "nothing")
		require.Contains(t, re.Error.Detail, f.keyID)
		require.Contains(t, re.Error.Detail, "no identity")
	}
	v := s.verdict(f, asksRequests)
	require.Equal(t, "VALID", v.Code, "nothing was counted")
	require.EqualValues(t, 4, *v.Credits, "and nothing charged")

	linked := s.newKey(s.fixtureOf(f), `,"externalId":"user_1"`)
	re := s.post("keys.verifyKey", linked.in(`{"key":"SECRET","ratelimits":[{"name":"nothing"}]}`)).
		fails(412, "unkey/application/precondition_failed")
	for _, part := range []string{"nothing", linked.keyID, linked.identityID, "user_1"} {
		require.Contains(t, re.Error.Detail, part)
	}
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.must("keys.verifyKey", `{"key":"nobody","ratelimits":[{"name":"nothing"}]}`))
}

func TestVerifyKey_RefusesRatelimits(t *testing.T) {
	s := newServer(t)
	for _, list := range []string{
		`null`, `{}`, `[null]`, `[{}]`, `[{"name":"ab"}]`, `[{"name":"abc","cost":-1}]`, `[{"name":"abc","cost":null}]`,
		`[{"name":"abc","limit":-1}]`, `[{"name":"abc","duration":-1}]`, `[{"name":"` + strings.Repeat("x", 256) + `"}]`,
	} {
		re := s.post("keys.verifyKey", `{"key":"x","ratelimits":`+list+`}`).fails(400, invalidInput)
		require.NotEmpty(t, *re.Error.Errors)
	}
}

// shownLimits are the rate limits that a key or identity shows, without their ids.
func shownLimits(t *testing.T, data, of string) (limits string, ids map[string]string) {
	t.Helper()
	var shown struct {
		Ratelimits []checked
		Identity   struct{ Ratelimits []checked }
	}
	require.NoError(t, json.Unmarshal([]byte(data), &shown))
	list := shown.Ratelimits
	if of == "identity" {
		list = shown.Identity.Ratelimits
	}
	ids = map[string]string{}
	var texts []string
	for _, r := range list {
		require.Regexp(t, `^rl_[a-zA-Z0-9]{16}$`, r.ID)
		ids[r.Name] = r.ID
		text := fmt.Sprintf("%s %d/%d", r.Name, r.Limit, r.Duration)
		if *r.AutoApply {
			text += "+"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", "), ids
}

// Rate limits of a key: docs/contract.md 2.0 and 2.3. A list replaces the one before; a name keeps its id.
func TestKeys_Ratelimits(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), limits("requests 1/60000", "tokens 5/1000+", "requests 2/60000+"))
	show := func() (string, map[string]string) {
		text, ids := shownLimits(t, s.must("keys.getKey", f.in(`{"keyId":"KEYID"}`)), "key")
		again, _ := shownLimits(t, s.must("keys.whoami", f.in(`{"key":"SECRET"}`)), "key")
		require.Equal(t, text, again)
		return text, ids
	}
	text, before := show()
	require.Equal(t, "requests 2/60000+, tokens 5/1000+", text, "of a repeated name the last one counts")
	for _, step := range []struct{ change, want string }{
		{``, "requests 2/60000+, tokens 5/1000+"},
		{limits("requests 3/60000"), "requests 3/60000"},
		{limits("requests 4/60000"), "requests 4/60000"},
		{limits("other 1/1000", "requests 4/60000"), "other 1/1000, requests 4/60000"},
	} {
		s.must("keys.updateKey", f.in(`{"keyId":"KEYID"`+step.change+`}`))
		text, ids := show()
		require.Equal(t, step.want, text)
		require.Equal(t, before["requests"], ids["requests"])
	}
	s.must("keys.updateKey", f.in(`{"keyId":"KEYID","ratelimits":[]}`))
	require.NotContains(t, s.must("keys.getKey", f.in(`{"keyId":"KEYID"}`)), "ratelimits")
}

// Rate limits of an identity: docs/contract.md 2.4.
func TestIdentities_Ratelimits(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	f.identityID = s.get("identityId", "identities.createIdentity", `{"externalId":"u"`+limits("requests 1/60000", "requests 2/60000", "gone 1/1000")+`}`)
	f = s.newKey(f, `,"externalId":"u"`)
	text, before := shownLimits(t, s.must("identities.getIdentity", `{"identity":"u"}`), "")
	require.Equal(t, "gone 1/1000, requests 2/60000", text)
	text, _ = shownLimits(t, s.must("keys.getKey", f.in(`{"keyId":"KEYID"}`)), "identity")
	require.Equal(t, "gone 1/1000, requests 2/60000", text)

	text, after := shownLimits(t, s.must("identities.updateIdentity", `{"identity":"u"`+limits("requests 3/60000", "added 1/1000+")+`}`), "")
	require.Equal(t, "added 1/1000+, requests 3/60000", text)
	require.Equal(t, before["requests"], after["requests"])
	text, _ = shownLimits(t, s.must("identities.updateIdentity", `{"identity":"u"}`), "")
	require.Equal(t, "added 1/1000+, requests 3/60000", text)

	re := s.post("identities.updateIdentity", `{"identity":"u"`+limits("twice 3/60000", "twice 1/1000+")+`}`).fails(400, invalidInput)
	require.Empty(t, *re.Error.Errors)
	require.Contains(t, re.Error.Detail, "twice")
	require.NotContains(t, s.must("identities.updateIdentity", `{"identity":"u","ratelimits":[]}`), "ratelimits")
}

func TestRatelimits_AreChecked(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	config := func(change string) string {
		all := map[string]string{"name": `"abc"`, "limit": "1", "duration": "1000", "autoApply": "true"}
		name, value, _ := strings.Cut(change, "=")
		all[name] = value
		var fields []string
		for name, value := range all {
			if value != "" {
				fields = append(fields, fmt.Sprintf("%q:%s", name, value))
			}
		}
		return "[{" + strings.Join(fields, ",") + "}]"
	}
	lists := []string{`null`, `{}`, `"x"`, strings.TrimSuffix("["+strings.Repeat(strings.Trim(config("x=1"), "[]")+",", 51), ",") + "]"}
	for _, change := range []string{
		`name=`, `name="ab"`, `limit=`, `limit=0`, `limit=1.5`, `duration=`, `duration=999`, `autoApply=`, `autoApply=null`,
		`name="` + strings.Repeat("x", 129) + `"`,
	} {
		lists = append(lists, config(change))
	}
	for endpoint, about := range map[string]string{
		"keys.createKey": `"apiId":"API"`, "keys.updateKey": `"keyId":"KEYID"`,
		"identities.createIdentity": `"externalId":"new"`, "identities.updateIdentity": `"identity":"IDENTITY"`,
	} {
		for _, list := range lists {
			re := s.post(endpoint, f.in(`{`+about+`,"ratelimits":`+list+`}`)).fails(400, invalidInput)
			require.NotEmpty(t, *re.Error.Errors)
		}
		s.must(endpoint, f.in(`{`+about+`,"ratelimits":`+config("unheardOf=1")+`}`)) // 1.9
	}
}
